from django.db import migrations, models


class Migration(migrations.Migration):
    """Words only."""

    dependencies = [("imputation", "0003_history")]

    operations = [
        migrations.AlterField(
            model_name="historicalreferencepanel",
            name="withdrawn_at",
            field=models.DateTimeField(
                editable=False,
                help_text="The site's list no longer has it since then, so researchers cannot choose it, active or not. "
                "Empty while it is offered or the site keeps no list.",
                null=True,
                verbose_name="withdrawn since",
            ),
        ),
        migrations.AlterField(
            model_name="referencepanel",
            name="withdrawn_at",
            field=models.DateTimeField(
                editable=False,
                help_text="The site's list no longer has it since then, so researchers cannot choose it, active or not. "
                "Empty while it is offered or the site keeps no list.",
                null=True,
                verbose_name="withdrawn since",
            ),
        ),
    ]
