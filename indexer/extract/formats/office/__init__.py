"""Documents of office programs: texts, slides and sheets, in Open XML and OpenDocument."""
