"""A letter: the address in the window, links written out, and nothing that a field holds is HTML."""

from equipoise.messages import compile_message
from equipoise.messages.letters import letter_html
from equipoise.protocol.models.files import Message

MESSAGE = Message(
    subject="About {team}", body="Dear {first_name},\n\n[The survey]({link}) is open. Or: {stop_link}"
)
FIELDS = {
    "team": "north & south",
    "first_name": "<b>Zoë</b>",
    "link": "https://example.org/s/a",
    "stop_link": "https://example.org/stop/b",
}


def test_a_letter_has_address_heading_and_addresses_of_the_web_written_out():
    letter = letter_html(
        compile_message(MESSAGE, language="cy"),
        FIELDS,
        ["Zoë <Example>", " ", "1 Example Street"],
        sender="The study team",
        date="1 March 2027",
    )
    assert '<html lang="cy" dir="ltr">' in letter
    assert "<address>Zoë &lt;Example&gt;<br>1 Example Street</address>" in letter
    assert "<h1>About north &amp; south</h1>" in letter
    assert "Dear &lt;b&gt;Zoë&lt;/b&gt;," in letter
    assert 'The survey: <a href="https://example.org/s/a">https://example.org/s/a</a> is open.' in letter
    assert 'Or: <a href="https://example.org/stop/b">https://example.org/stop/b</a>' in letter
    assert "The study team" in letter
    assert "1 March 2027" in letter


def test_a_letter_without_a_subject_has_no_heading():
    bare = compile_message(Message(body="Hello"), language="en-GB")
    assert "<h1>" not in letter_html(bare, {}, ["A Person"])
