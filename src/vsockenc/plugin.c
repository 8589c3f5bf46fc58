/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define PACKAGE "porthole"
#include "vsockenc/vsockenc.h"

static gboolean init(GstPlugin *plugin)
{
    return GST_ELEMENT_REGISTER(vsockenc, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, porthole,
        "Encodes on the host of a virtual machine or container", init,
        PH_VERSION, "LGPL", "Porthole", "Porthole")
