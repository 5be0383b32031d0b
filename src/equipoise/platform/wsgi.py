"""What the web server calls. EQUIPOISE_WORKSPACE names the workspace."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "equipoise.platform.settings")
application = get_wsgi_application()
