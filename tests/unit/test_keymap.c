/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/keymap.h"

#include <unistd.h>

#include "check.h"

static void check_split(
        const char *layout, const char *layouts, const char *variants)
{
    char l[PH_KEYMAP_MAX_NAME];
    char v[PH_KEYMAP_MAX_NAME];
    if (CHECK_EQ(ph_keymap_split(layout, l, v), layouts != NULL) && layouts) {
        CHECK_STR(l, layouts);
        CHECK_STR(v, variants);
    }
}

static void test_split(void)
{
    static const char *const bad[] = {"", ",", "us,", ",us", "us(", "us()",
            "us(intl", "us(intl))", "us intl", "us;rm", "../x", "(intl)"};
    check_split("us", "us", "");
    check_split("de,us", "de,us", ",");
    check_split("us(intl)", "us", "intl");
    check_split("us(intl),de", "us,de", "intl,");
    check_split("de,us(alt-intl)", "de,us", ",alt-intl");
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check_split(bad[i], NULL, NULL);
    }
    char name[PH_KEYMAP_MAX_NAME + 1];
    memset(name, 'x', PH_KEYMAP_MAX_NAME);
    name[PH_KEYMAP_MAX_NAME] = '\0';
    check_split(name, NULL, NULL);
    name[PH_KEYMAP_MAX_NAME - 1] = '\0';
    check_split(name, name, "");
}

static void test_modifiers(void)
{
    char error[256] = "";
    struct ph_keymap_modifiers m;
    uint32_t size = 0;
    struct ph_keymap *k = ph_keymap_create("de,us", error, sizeof(error));
    if (!CHECK(k)) {
        fprintf(stderr, "%s\n", error);
        return;
    }
    int fd = ph_keymap_fd(k, &size);
    CHECK(size > 1000);
    CHECK_EQ(lseek(fd, 0, SEEK_END), size);
    CHECK(!ph_keymap_update(k, 30, true));
    CHECK(!ph_keymap_update(k, 30, false));
    CHECK(ph_keymap_update(k, 42, true));
    ph_keymap_get_modifiers(k, &m);
    CHECK_EQ(m.depressed, 1);
    CHECK(ph_keymap_update(k, 42, false));
    CHECK(ph_keymap_update(k, 58, true)); /* Caps Lock stays */
    CHECK(ph_keymap_update(k, 58, false));
    ph_keymap_get_modifiers(k, &m);
    CHECK_EQ(m.depressed, 0);
    CHECK_EQ(m.locked, 2);
    CHECK_EQ(m.group, 0);
    ph_keymap_update(k, 700, true); /* no such key: nothing happens */
    ph_keymap_update(k, 700, false);
    ph_keymap_destroy(k);
}

static void test_unknown(void)
{
    char error[256] = "";
    CHECK(!ph_keymap_create("no-such-layout", error, sizeof(error)));
    CHECK(strstr(error, "no-such-layout"));
    CHECK(!ph_keymap_create("us(", error, sizeof(error)));
    CHECK(strstr(error, "us("));
    ph_keymap_destroy(NULL);
}

int main(void)
{
    test_split();
    test_modifiers();
    test_unknown();
    return CHECK_DONE();
}
