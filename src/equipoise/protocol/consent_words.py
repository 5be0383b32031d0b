"""The sentences of the consent page and the privacy notice that are the same in every study, by language."""

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["ConsentWords", "consent_words"]


@dataclass(frozen=True)
class ConsentWords:
    """One language: titles of the notice by field, the short sentences, and a question for each activity."""

    voluntary: str
    stop: str
    asks: str
    answers: Mapping[str, str]
    watching: str
    rights_text: str
    titles: Mapping[str, str]
    questions: Mapping[str, str]
    months: tuple[str, ...]


def consent_words(language: str) -> ConsentWords:
    """The words of a language by its tag; one that is not here gets English."""
    return _WORDS.get(language.split("-")[0].lower(), _WORDS["en"])


_WORDS = {
    "en": ConsentWords(
        voluntary="You choose whether to take part. Nothing happens to you if you do not.",
        stop="You can leave out any question, and stop at any time.",
        asks="This study is run by {controller}.",
        answers={
            "linked": "Your answers are kept under a code that can be tied to you while we hold how to reach you.",
            "linked-until": "Your answers are kept under a code that can be tied to you until {until}, and not after.",
            "unlinked": "Your answers cannot be tied to you: we do not ask who you are.",
        },
        watching=(
            "Where a message leads to a film, a recording or a document, we keep whether you opened it and, as far "
            "as your browser tells us, how much of it was played."
        ),
        rights_text=(
            "You can ask to see what we hold of you, to have it put right, to have it erased, or to stop taking "
            "part, without a reason and without any harm to you. Answers that cannot be told apart as yours any "
            "more cannot be found again for this."
        ),
        titles={
            "controller": "Who is responsible for your data",
            "purpose": "What we use your data for",
            "categories": "Which data we keep",
            "basis": "The legal basis",
            "recipients": "Who else gets your data",
            "linkage": "Whether your answers can be tied to you",
            "retention": "How long we keep your data",
            "rights": "Your rights",
            "officer": "Whom you can ask about your data",
            "complaint": "Where you can complain",
        },
        questions={
            "messages": "Do you agree to get messages from this study?",
            "survey": "Do you agree to answer this survey?",
            "linkage": "Do you agree that your answers are joined with other records about you, as described above?",
            "interview": "May we ask you later whether you would give an interview?",
            "recording": "If you give an interview, do you agree that it is recorded?",
            "quotation": "May we quote what you say, without your name?",
            "archive": "May your answers, without your name, be kept in an archive for other researchers?",
            "recontact": "May we ask you about further studies?",
        },
        months=(
            *("January", "February", "March", "April", "May", "June", "July", "August"),
            *("September", "October", "November", "December"),
        ),
    ),
    "cy": ConsentWords(
        voluntary="Chi sy'n dewis a ydych am gymryd rhan. Ni fydd dim yn digwydd i chi os na wnewch.",
        stop="Gallwch adael unrhyw gwestiwn allan, a stopio unrhyw bryd.",
        asks="Cynhelir yr astudiaeth hon gan {controller}.",
        answers={
            "linked": "Cedwir eich atebion o dan god y gellir ei gysylltu â chi tra bo gennym eich manylion cyswllt.",
            "linked-until": "Cedwir eich atebion o dan god y gellir ei gysylltu â chi tan {until}, ac nid wedyn.",
            "unlinked": "Ni ellir cysylltu eich atebion â chi: nid ydym yn gofyn pwy ydych.",
        },
        watching=(
            "Lle mae neges yn arwain at ffilm, recordiad neu ddogfen, rydym yn cadw a wnaethoch ei agor a, cyn "
            "belled ag y mae eich porwr yn dweud wrthym, faint ohono a chwaraewyd."
        ),
        rights_text=(
            "Gallwch ofyn am weld yr hyn sydd gennym amdanoch, ei gywiro, ei ddileu, neu roi'r gorau i gymryd "
            "rhan, heb reswm a heb niwed i chi. Ni ellir dod o hyd i atebion na ellir dweud mwyach mai eich "
            "rhai chi ydynt."
        ),
        titles={
            "controller": "Pwy sy'n gyfrifol am eich data",
            "purpose": "At beth rydym yn defnyddio eich data",
            "categories": "Pa ddata rydym yn eu cadw",
            "basis": "Y sail gyfreithiol",
            "recipients": "Pwy arall sy'n cael eich data",
            "linkage": "A ellir cysylltu eich atebion â chi",
            "retention": "Am ba hyd rydym yn cadw eich data",
            "rights": "Eich hawliau",
            "officer": "Pwy y gallwch ei holi am eich data",
            "complaint": "Ble gallwch gwyno",
        },
        questions={
            "messages": "A ydych yn cytuno i gael negeseuon gan yr astudiaeth hon?",
            "survey": "A ydych yn cytuno i ateb yr arolwg hwn?",
            "linkage": "A ydych yn cytuno i'ch atebion gael eu cysylltu â chofnodion eraill amdanoch, fel uchod?",
            "interview": "A gawn ofyn i chi yn nes ymlaen a fyddech yn rhoi cyfweliad?",
            "recording": "Os rhowch gyfweliad, a ydych yn cytuno iddo gael ei recordio?",
            "quotation": "A gawn ddyfynnu'r hyn a ddywedwch, heb eich enw?",
            "archive": "A gaiff eich atebion, heb eich enw, eu cadw mewn archif i ymchwilwyr eraill?",
            "recontact": "A gawn ofyn i chi am astudiaethau pellach?",
        },
        months=(
            *("Ionawr", "Chwefror", "Mawrth", "Ebrill", "Mai", "Mehefin", "Gorffennaf", "Awst"),
            *("Medi", "Hydref", "Tachwedd", "Rhagfyr"),
        ),
    ),
}
