"""Sessions know the study and the partner of their participant, so that they can be counted alone.

What is filled in here is required by the next migration: PostgreSQL does not do both in one transaction.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps: Any, _: object) -> None:
    participants = apps.get_model("people", "Participant").objects.filter(pk=OuterRef("participant_id"))
    apps.get_model("fieldwork", "Session").objects.update(
        study_id=Subquery(participants.values("study_id")[:1]),
        partner_id=Subquery(participants.values("partner_id")[:1]),
    )


class Migration(migrations.Migration):
    dependencies = [
        ("fieldwork", "0001_initial"),
        ("people", "0002_lists_of_many"),
        ("registry", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            "Session",
            "study",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.study",
            ),
        ),
        migrations.AddField(
            "Session",
            "partner",
            models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.partner",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
