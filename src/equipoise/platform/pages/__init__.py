"""How pages look, for participants and for staff: layouts, components, questions, style sheets, error pages.

`environment.environment` is the Jinja environment that the web framework is given. A page extends one of the
layouts `participant`, `staff` and `sign_in`; each says at its top which values it needs and which blocks can
be filled. `questions.question_html` writes one question of a survey. What the platform itself says to people
is in `languages/`, one file for each language. The style sheets are compiled from `assets/` by `make assets`.
"""
