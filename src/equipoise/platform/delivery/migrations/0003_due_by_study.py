"""What is due is found by study, and what is unknown with what is held; both from small indexes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0002_dispatch_tally"),
        ("people", "0002_lists_of_many"),
        ("registry", "0002_balance_as_drawn"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="dispatch",
            name="dispatch_due",
        ),
        migrations.RemoveIndex(
            model_name="dispatch",
            name="dispatch_held",
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state", "planned")),
                fields=["study", "carrier", "next_at"],
                name="dispatch_due",
            ),
        ),
        migrations.AddIndex(
            model_name="dispatch",
            index=models.Index(
                condition=models.Q(("state__in", ("claimed", "sending", "unknown"))),
                fields=["lease_until"],
                name="dispatch_held",
            ),
        ),
    ]
