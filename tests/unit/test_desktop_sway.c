/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/desktop_sway.h"

#include "check.h"
#include "common/macros.h"

#define TEXT(x) #x
#define HZ(x) TEXT(x)
#define MODE "1280x720@" HZ(PH_SWAY_REFRESH_HZ) "Hz"

static void test_config(void)
{
    static const char expected[] =
            "# Written by porthole run; gone when it ends.\n"
            "output HEADLESS-1 mode --custom " MODE " position 0 0\n"
            "output HEADLESS-2 mode --custom " MODE " position 1280 0\n"
            "xwayland disable\n"
            "default_border none\n"
            "default_floating_border normal\n"
            "floating_modifier Mod1 normal\n"
            "input * xkb_layout \"de\"\n"
            "input * xkb_variant \"neo\"\n"
            "exec echo \"porthole: sway is ready on $WAYLAND_DISPLAY\"\n";
    const struct ph_desktop_wish wish = {{1280, 720}, 2, "de(neo)", "/nowhere"};
    char text[1024];
    CHECK(ph_sway_config(&wish, "de", "neo", text, sizeof(text)));
    CHECK_STR(text, expected);
    CHECK(!ph_sway_config(&wish, "de", "neo", text, sizeof(expected) - 1));
    CHECK(ph_sway_config(&wish, "de", "neo", text, sizeof(expected)));
}

static void test_outputs(void)
{
    struct ph_desktop_wish wish = {.outputs = 8};
    char error[128] = "";
    CHECK(ph_desktop_has_outputs(&ph_desktop_sway, &wish, error, 128));
    CHECK_STR(error, "");
    wish.outputs = 9;
    CHECK(!ph_desktop_has_outputs(&ph_desktop_sway, &wish, error, 128));
    CHECK_STR(error, "--outputs: sway can have 8 here");
    wish.outputs = 2;
    CHECK(!ph_desktop_has_outputs(&ph_desktop_mutter, &wish, error, 128));
    CHECK_STR(error, "--outputs: mutter can have 1 here");
    wish.outputs = 1;
    CHECK(ph_desktop_has_outputs(&ph_desktop_mutter, &wish, error, 128));
}

static void test_layout(void)
{
    static const char *const bad[] = {"", "(neo)", "de(", "de(neo", "de(neo)x",
            "us\"", "us\nexec x", "u s", "us;x", "$x", "de((neo))",
            "a-name-that-no-layout-of-any-keyboard-has"};
    char layout[16];
    char variant[16];
    CHECK(ph_sway_split_layout("us", layout, variant, sizeof(layout)));
    CHECK_STR(layout, "us");
    CHECK_STR(variant, "");
    CHECK(ph_sway_split_layout("fr(bepo)", layout, variant, sizeof(layout)));
    CHECK_STR(layout, "fr");
    CHECK_STR(variant, "bepo");
    CHECK(ph_sway_split_layout("us,ru", layout, variant, sizeof(layout)));
    CHECK_STR(layout, "us,ru");
    for (size_t i = 0; i < PH_LEN(bad); i++) {
        if (!CHECK(!ph_sway_split_layout(
                    bad[i], layout, variant, sizeof(layout)))) {
            fprintf(stderr, "  taken: '%s'\n", bad[i]);
        }
    }
}

static void test_find(void)
{
    CHECK(ph_desktop_find("sway") == &ph_desktop_sway);
    CHECK(ph_desktop_find("") == NULL);
    CHECK(ph_desktop_find("twm") == NULL);
}

int main(void)
{
    test_config();
    test_layout();
    test_outputs();
    test_find();
    return CHECK_DONE();
}
