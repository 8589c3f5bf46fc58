/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/wlr_outputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#define LOG_MODULE "capture"
#include "common/log.h"

#define SCALE_ONE 120
#define REFRESH_MHZ 60000

struct head {
    struct ph_wlr_outputs *outputs;
    struct zwlr_output_head_v1 *head; /* NULL: a free entry */
    char name[64];
    bool gone;
};

/* Of no use here (viewers' sizes are nobody's modes), but kept: an event that
 * names a mode which is not there any more ends the connection. */
struct mode {
    struct wl_list link; /* ph_wlr_outputs.modes */
    struct zwlr_output_mode_v1 *mode;
};

struct ph_wlr_outputs {
    struct ph_wayland *wayland;
    struct zwlr_output_manager_v1 *manager;
    struct head heads[PH_WAYLAND_MAX_OUTPUTS];
    struct wl_list modes;
    bool ready; /* all heads are known, as of serial */
    uint32_t serial;
    struct zwlr_output_configuration_v1 *configuration; /* under way */
    bool wanted;
    char name[64];
    uint32_t width;
    uint32_t height;
    uint32_t scale;
};

static void apply(struct ph_wlr_outputs *o);

static void end_configuration(struct ph_wlr_outputs *o)
{
    if (o->configuration) {
        zwlr_output_configuration_v1_destroy(o->configuration);
        o->configuration = NULL;
    }
}

/* --- what is under way --- */

static void handle_succeeded(
        void *data, struct zwlr_output_configuration_v1 *configuration)
{
    struct ph_wlr_outputs *o = data;
    end_configuration(o);
    apply(o); /* what was wanted meanwhile */
}

static void handle_failed(
        void *data, struct zwlr_output_configuration_v1 *configuration)
{
    struct ph_wlr_outputs *o = data;
    LOG_WARN("the compositor refuses to change the size of its output");
    handle_succeeded(o, configuration);
}

/* The outputs changed at the same time: once more, when they are known. */
static void handle_cancelled(
        void *data, struct zwlr_output_configuration_v1 *configuration)
{
    struct ph_wlr_outputs *o = data;
    end_configuration(o);
    o->wanted = true;
    o->ready = false;
}

static const struct zwlr_output_configuration_v1_listener
        configuration_listener = {
                .succeeded = handle_succeeded,
                .failed = handle_failed,
                .cancelled = handle_cancelled,
};

static void configure(
        struct ph_wlr_outputs *o, struct zwlr_output_configuration_head_v1 *h)
{
    zwlr_output_configuration_head_v1_set_custom_mode(
            h, (int32_t)o->width, (int32_t)o->height, REFRESH_MHZ);
    zwlr_output_configuration_head_v1_set_scale(
            h, wl_fixed_from_double((double)o->scale / SCALE_ONE));
}

static int32_t scaled(uint32_t pixels, uint32_t scale)
{
    return (int32_t)(pixels * SCALE_ONE / scale);
}

/* The compositor leaves the others where they are, so one that grows would
 * cover its neighbours: what is right of it or below it moves along. */
static void make_room(const struct ph_wlr_outputs *o,
        const struct ph_wayland_output *other,
        struct zwlr_output_configuration_head_v1 *h)
{
    const struct ph_wayland_output *ours = ph_wayland_find(o->wayland, o->name);
    if (!ours || !ours->width || !other->width) {
        return;
    }
    int32_t dx = scaled(o->width, o->scale) - ours->width;
    int32_t dy = scaled(o->height, o->scale) - ours->height;
    if (other->x >= ours->x + ours->width) {
        zwlr_output_configuration_head_v1_set_position(
                h, other->x + dx, other->y);
    } else if (other->y >= ours->y + ours->height) {
        zwlr_output_configuration_head_v1_set_position(
                h, other->x, other->y + dy);
    }
}

/* Every head has to be named; one that is left as it is, too. Which are on
 * tells the registry: sway calls heads with a mode of their own disabled. */
static void apply(struct ph_wlr_outputs *o)
{
    if (!o->wanted || !o->ready || o->configuration) {
        return;
    }
    o->wanted = false;
    o->configuration =
            zwlr_output_manager_v1_create_configuration(o->manager, o->serial);
    zwlr_output_configuration_v1_add_listener(
            o->configuration, &configuration_listener, o);
    for (size_t i = 0; i < PH_LEN(o->heads); i++) {
        const struct head *head = &o->heads[i];
        bool ours = strcmp(head->name, o->name) == 0;
        if (!head->head || head->gone) {
            continue;
        }
        const struct ph_wayland_output *output =
                ph_wayland_find(o->wayland, head->name);
        if (!output && !ours) {
            zwlr_output_configuration_v1_disable_head(
                    o->configuration, head->head);
            continue;
        }
        struct zwlr_output_configuration_head_v1 *h =
                zwlr_output_configuration_v1_enable_head(
                        o->configuration, head->head);
        if (ours) {
            configure(o, h);
        } else {
            make_room(o, output, h);
        }
        zwlr_output_configuration_head_v1_destroy(h);
    }
    zwlr_output_configuration_v1_apply(o->configuration);
    wl_display_flush(o->wayland->display); /* an error shows in dispatch */
}

/* --- what there is --- */

static void head_name(
        void *data, struct zwlr_output_head_v1 *wl_head, const char *name)
{
    struct head *head = data;
    snprintf(head->name, sizeof(head->name), "%s", name);
}

static void head_finished(void *data, struct zwlr_output_head_v1 *wl_head)
{
    struct head *head = data;
    head->gone = true;
}

static void mode_size(void *data, struct zwlr_output_mode_v1 *wl_mode,
        int32_t width, int32_t height)
{
}

static void mode_refresh(
        void *data, struct zwlr_output_mode_v1 *wl_mode, int32_t refresh)
{
}

static void mode_preferred(void *data, struct zwlr_output_mode_v1 *wl_mode)
{
}

static void mode_finished(void *data, struct zwlr_output_mode_v1 *wl_mode)
{
    struct mode *mode = data;
    wl_list_remove(&mode->link);
    zwlr_output_mode_v1_destroy(mode->mode);
    free(mode);
}

static const struct zwlr_output_mode_v1_listener mode_listener = {
        .size = mode_size,
        .refresh = mode_refresh,
        .preferred = mode_preferred,
        .finished = mode_finished,
};

static void head_mode(void *data, struct zwlr_output_head_v1 *wl_head,
        struct zwlr_output_mode_v1 *wl_mode)
{
    struct head *head = data;
    struct mode *mode = ph_xcalloc(1, sizeof(*mode));
    mode->mode = wl_mode;
    wl_list_insert(&head->outputs->modes, &mode->link);
    zwlr_output_mode_v1_add_listener(wl_mode, &mode_listener, mode);
}

static void head_text(
        void *data, struct zwlr_output_head_v1 *wl_head, const char *text)
{
}

static void head_pair(
        void *data, struct zwlr_output_head_v1 *wl_head, int32_t x, int32_t y)
{
}

static void head_current_mode(void *data, struct zwlr_output_head_v1 *wl_head,
        struct zwlr_output_mode_v1 *mode)
{
}

static void head_number(
        void *data, struct zwlr_output_head_v1 *wl_head, int32_t number)
{
}

static const struct zwlr_output_head_v1_listener head_listener = {
        .name = head_name,
        .description = head_text,
        .physical_size = head_pair,
        .mode = head_mode,
        .enabled = head_number,
        .current_mode = head_current_mode,
        .position = head_pair,
        .transform = head_number,
        .scale = head_number,
        .finished = head_finished,
};

static void handle_head(void *data, struct zwlr_output_manager_v1 *manager,
        struct zwlr_output_head_v1 *wl_head)
{
    struct ph_wlr_outputs *o = data;
    for (size_t i = 0; i < PH_LEN(o->heads); i++) {
        struct head *head = &o->heads[i];
        if (head->gone) {
            zwlr_output_head_v1_destroy(head->head);
            memset(head, 0, sizeof(*head));
        }
        if (!head->head) {
            head->outputs = o;
            head->head = wl_head;
            zwlr_output_head_v1_add_listener(wl_head, &head_listener, head);
            return;
        }
    }
    zwlr_output_head_v1_destroy(wl_head);
}

static void handle_done(
        void *data, struct zwlr_output_manager_v1 *manager, uint32_t serial)
{
    struct ph_wlr_outputs *o = data;
    o->serial = serial;
    o->ready = true;
    apply(o);
}

static void handle_finished(void *data, struct zwlr_output_manager_v1 *manager)
{
}

static const struct zwlr_output_manager_v1_listener manager_listener = {
        .head = handle_head,
        .done = handle_done,
        .finished = handle_finished,
};

struct ph_wlr_outputs *ph_wlr_outputs_create(struct ph_wayland *wayland)
{
    if (!wayland->output_manager) {
        return NULL;
    }
    /* Bound only here: its events want a listener from the first on. */
    struct ph_wlr_outputs *o = ph_xcalloc(1, sizeof(*o));
    o->wayland = wayland;
    wl_list_init(&o->modes);
    o->manager = wl_registry_bind(wayland->registry, wayland->output_manager,
            &zwlr_output_manager_v1_interface, 1);
    zwlr_output_manager_v1_add_listener(o->manager, &manager_listener, o);
    wl_display_flush(wayland->display); /* an error shows in dispatch */
    return o;
}

void ph_wlr_outputs_destroy(struct ph_wlr_outputs *o)
{
    if (!o) {
        return;
    }
    end_configuration(o);
    for (size_t i = 0; i < PH_LEN(o->heads); i++) {
        if (o->heads[i].head) {
            zwlr_output_head_v1_destroy(o->heads[i].head);
        }
    }
    while (!wl_list_empty(&o->modes)) {
        struct mode *mode = PH_CONTAINER(o->modes.next, struct mode, link);
        mode_finished(mode, mode->mode);
    }
    zwlr_output_manager_v1_destroy(o->manager);
    free(o);
}

void ph_wlr_outputs_resize(struct ph_wlr_outputs *o, const char *name,
        uint32_t width, uint32_t height, uint32_t scale)
{
    snprintf(o->name, sizeof(o->name), "%s", name);
    o->width = width;
    o->height = height;
    o->scale = scale;
    o->wanted = true;
    apply(o);
}
