"""Indexes in the orders in which a list of a hundred thousand people is turned over."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial"), ("registry", "0001_initial")]

    operations = [
        migrations.RemoveIndex("Participant", "participant_by_state"),
        migrations.AddIndex("Participant", models.Index(fields=["study", "key"], name="participant_by_key")),
        migrations.AddIndex(
            "Participant", models.Index(fields=["study", "state", "key"], name="participant_by_state")
        ),
        migrations.AddIndex(
            "Participant", models.Index(fields=["study", "enrolled_at", "key"], name="participant_by_time")
        ),
        migrations.AddIndex(
            "Participant",
            models.Index(fields=["study", "partner", "state", "key"], name="participant_by_partner"),
        ),
        migrations.AddIndex(
            "Participant",
            models.Index(
                condition=models.Q(("left_at__isnull", False)),
                fields=["study", "state"],
                name="participant_has_left",
            ),
        ),
        migrations.AddIndex(
            "Participant",
            models.Index(
                condition=models.Q(("messages_stopped_at__isnull", False)),
                fields=["study", "state"],
                name="participant_stopped",
            ),
        ),
        migrations.AddIndex(
            "Participant",
            models.Index(condition=models.Q(("imported", None)), fields=["study"], name="participant_came"),
        ),
    ]
