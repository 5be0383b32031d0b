"""What was not sent is found by its reason, from an index of that alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0004_file_of_a_partner"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("reason", ""), _negated=True),
                fields=["study", "state", "reason", "due_at"],
                name="dispatch_by_reason",
            ),
        ),
    ]
