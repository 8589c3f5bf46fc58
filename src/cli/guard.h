/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Two processes that watch each other, so that nothing stays behind when one
 * of them is killed: the one that the user started only waits; the other one
 * works. When the first dies, the second gets SIGTERM and tidies up; when the
 * second dies, the first ends all its descendants and tidies up.
 */
#pragma once

/* work runs in the second process and returns the exit code; tidy runs in the
 * first when the second could not. Returns the exit code. */
int ph_guard_run(int (*work)(void *), void (*tidy)(void *), void *data);
