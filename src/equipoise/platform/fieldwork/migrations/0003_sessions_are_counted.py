"""Every session has its study, and one index by which sessions are counted."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("fieldwork", "0002_sessions_know_their_study")]

    operations = [
        migrations.AlterField(
            "Session",
            "study",
            models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="registry.study"
            ),
        ),
        migrations.AddIndex(
            "Session",
            models.Index(
                fields=["study", "wave", "state", "partner", "ended_at", "participant"],
                name="session_counts",
            ),
        ),
    ]
