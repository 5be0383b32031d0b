"""The platform: a Django project that keeps state, meets people and acts in time.

    audit < registry < people < fieldwork < worker < office

Each app has `models` (what is stored), `queries` (reads), `actions` (verbs: one transaction each, the audit
entry inside), `views`, `forms`, `urls`, `templates`. Views call actions and queries; apps call each other's
actions and queries, never each other's models. `workspace.activate` makes it ready for a command, the web
server and the worker alike.
"""
