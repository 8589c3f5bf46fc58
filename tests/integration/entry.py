#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A GTK application: entry.py FILE WIDTH HEIGHT shows one field, and what is
entered there becomes a line of FILE, which is there once keys go there."""
import sys

import gi

gi.require_version("Gtk", "4.0")
from gi.repository import GLib, Gtk  # noqa: E402


def main(path, width, height):
    Gtk.init()

    def write(text):
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)

    def entered(entry):
        write(entry.get_text() + "\n")
        entry.set_text("")

    window = Gtk.Window(title="entry")
    window.set_default_size(width, height)
    window.set_decorated(False)
    field = Gtk.Entry()
    field.connect("activate", entered)
    window.set_child(field)
    window.connect("notify::is-active", lambda *_: write(""))
    window.fullscreen()
    window.present()
    GLib.MainLoop().run()


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
