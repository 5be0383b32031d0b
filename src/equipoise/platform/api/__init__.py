"""The interface for programs: what staff can do by pages, a service can do by a token within its scopes."""
