"""Buttons, menus and forms, and what messages show."""
