"""A planted workspace; a package, so that what is made for it is gone once its tests are done."""
