from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotations', '0002_problems_of_an_image'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='annotatedimage',
            index=models.Index(fields=['annotation_data', 'annotation_count', 'id'], name='annotated_by_count'),
        ),
    ]
