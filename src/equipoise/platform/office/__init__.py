"""Staff pages: setting up a study, people, surveys, allocation, exports, the record."""
