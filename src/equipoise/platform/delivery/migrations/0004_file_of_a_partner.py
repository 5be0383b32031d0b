"""A file that goes to a partner, or comes back from one, says whose people are in it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0003_due_by_study"),
        ("registry", "0002_balance_as_drawn"),
    ]

    operations = [
        migrations.AddField(
            model_name="partnerfile",
            name="partner",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="registry.partner",
            ),
        ),
    ]
