"""The one data layer: tables, migrations, and modules of functions that take a connection and return domain objects."""
