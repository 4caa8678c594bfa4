"""Files and folders become volumes: reading, geometry, data-set layouts, the report of a folder."""
