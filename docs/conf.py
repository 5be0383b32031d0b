"""One generator for all of the documentation: Sphinx with MyST and Furo; every warning is an error."""

import equipoise

project = "Equipoise"
author = "The Equipoise contributors"
version = release = equipoise.__version__
language = "en-GB"

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "reference-examples"]
nitpicky = True

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_title = "Equipoise"
html_copy_source = False
html_show_copyright = False
# Nothing is fetched from elsewhere: the pages can be read without a network.
html_theme_options = {"source_repository": "", "top_of_page_buttons": []}
