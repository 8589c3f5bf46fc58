/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The keyboard of a Mutter session, in the order of what comes in: keys, text
 * that is no key, locks. Main thread.
 *
 * Mutter makes a keyboard with the first key, and applications that learn of
 * one only then lose it: so it is woken when a session begins, and what comes
 * meanwhile waits. So does what comes while text is pasted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deskd/mutter_clipboard.h"
#include "deskd/mutter_session.h"

struct ph_mutter_keys;

/* layout: of the desktop, as far as is known; NULL: "us". */
struct ph_mutter_keys *ph_mutter_keys_create(
        struct ph_mutter_clipboard *clipboard, const char *layout);
void ph_mutter_keys_destroy(struct ph_mutter_keys *k);
/* Another session, in which nothing is held; or none. */
void ph_mutter_keys_follow(
        struct ph_mutter_keys *k, struct ph_mutter_session *session);

void ph_mutter_keys_key(struct ph_mutter_keys *k, uint16_t code, bool pressed);
void ph_mutter_keys_text(
        struct ph_mutter_keys *k, const char *text, size_t len);
void ph_mutter_keys_locks(struct ph_mutter_keys *k, bool caps, bool num);
