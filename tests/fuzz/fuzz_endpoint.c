/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Endpoint strings: what is accepted, formatted, is accepted again and means
 * the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/endpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    if (!text) {
        return 0;
    }
    if (size) {
        memcpy(text, data, size);
    }
    text[size] = '\0';

    struct ph_endpoint a;
    struct ph_endpoint b;
    char error[128];
    if (ph_endpoint_parse(text, &a, error, sizeof(error))) {
        char again[PH_ENDPOINT_TEXT_MAX];
        ph_endpoint_format(&a, again, sizeof(again));
        if (!ph_endpoint_parse(again, &b, error, sizeof(error)) ||
                a.kind != b.kind || strcmp(a.address, b.address) != 0 ||
                a.port != b.port || a.cid != b.cid) {
            abort();
        }
    }
    free(text);
    return 0;
}
