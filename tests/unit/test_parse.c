/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/parse.h"

#include "common/endpoint.h"

#include "check.h"

static void test_u32(void)
{
    uint32_t v = 7;
    CHECK(ph_parse_u32("0", 0, 10, &v));
    CHECK_EQ(v, 0);
    CHECK(ph_parse_u32("10", 0, 10, &v));
    CHECK_EQ(v, 10);
    CHECK(ph_parse_u32("4294967295", 0, UINT32_MAX, &v));
    CHECK_EQ(v, UINT32_MAX);
    static const char *const bad[] = {"", "11", "-1", "+1", " 1", "1 ", "0x1",
            "1.0", "4294967296", "18446744073709551616",
            "99999999999999999999999"};
    v = 7;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!ph_parse_u32(bad[i], 0, 10, &v));
        CHECK_EQ(v, 7);
    }
}

static void test_quantity(void)
{
    uint64_t v = 0;
    CHECK(ph_parse_quantity("8M", false, 1, UINT64_MAX, &v));
    CHECK_EQ(v, 8000000);
    CHECK(ph_parse_quantity("64k", true, 1, UINT64_MAX, &v));
    CHECK_EQ(v, 65536);
    CHECK(ph_parse_quantity("1G", true, 1, UINT64_MAX, &v));
    CHECK_EQ(v, 1 << 30);
    CHECK(ph_parse_quantity("500", false, 1, UINT64_MAX, &v));
    CHECK_EQ(v, 500);
    CHECK(!ph_parse_quantity("M", false, 0, UINT64_MAX, &v));
    CHECK(!ph_parse_quantity("1T", false, 0, UINT64_MAX, &v));
    CHECK(!ph_parse_quantity("1Mb", false, 0, UINT64_MAX, &v));
    CHECK(!ph_parse_quantity(
            "18446744073709551615k", false, 0, UINT64_MAX, &v));
    CHECK(!ph_parse_quantity("2k", false, 0, 1999, &v));
}

static void test_size(void)
{
    uint32_t w = 0;
    uint32_t h = 0;
    CHECK(ph_parse_size("1920x1080", 8192, &w, &h));
    CHECK_EQ(w, 1920);
    CHECK_EQ(h, 1080);
    static const char *const bad[] = {"", "x", "1920", "1920x", "x1080",
            "0x1080", "1920x0", "1920X1080", "1920x1080x1", "8193x1", "1x8193",
            "1920x1080 "};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!ph_parse_size(bad[i], 8192, &w, &h));
    }
}

static void check_endpoint(
        const char *text, const char *address, uint32_t port, const char *back)
{
    struct ph_endpoint ep;
    char error[200] = "";
    char again[PH_ENDPOINT_TEXT_MAX];
    if (!CHECK(ph_endpoint_parse(text, &ep, error, sizeof(error)))) {
        return;
    }
    CHECK_STR(ep.address, address);
    CHECK_EQ(ep.port, port);
    ph_endpoint_format(&ep, again, sizeof(again));
    CHECK_STR(again, back);
}

static void test_endpoint(void)
{
    check_endpoint("tcp:127.0.0.1:80", "127.0.0.1", 80, "tcp:127.0.0.1:80");
    check_endpoint("tcp:host", "host", 15937, "tcp:host:15937");
    check_endpoint("vsock:2:15937", "", 15937, "vsock:2:15937");
    check_endpoint("vsock:4294967294", "", 15937, "vsock:4294967294:15937");
    check_endpoint("vsock:any:70000", "", 70000, "vsock:any:70000");
    check_endpoint(
            "virtio-serial:/dev/a:b", "/dev/a:b", 0, "virtio-serial:/dev/a:b");
    check_endpoint("auto", "", 0, "auto");
    check_endpoint("tcp:a:1,share=/mnt/b", "a", 1, "tcp:a:1,share=/mnt/b");
    check_endpoint("unix:/a,share=/b,share=/c", "/a,share=/b", 0,
            "unix:/a,share=/b,share=/c");
    check_endpoint("tcp:[::1]:0", "::1", 0, "tcp:[::1]:0");
    check_endpoint("unix:/a b", "/a b", 0, "unix:/a b");
    static const char *const bad[] = {"", "tcp:", "tcp::80", "tcp:[::1",
            "tcp:::1:80", "tcp:a:b", "tcp:a:65536",
            "tcp:a:", "unix:", "127.0.0.1:80", "vsock:", "vsock::1",
            "vsock:x:1", "vsock:2:", "vsock:4294967295:1", "vsock:2:4294967295",
            "vsock:2:1:1", "virtio-serial:", "auto:", "autos",
            "auto,share=", "auto,share=b", ",share=/b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ph_endpoint ep;
        char error[200] = "";
        CHECK(!ph_endpoint_parse(bad[i], &ep, error, sizeof(error)));
        CHECK(strlen(error) > 10);
    }
    char path[300] = "unix:";
    memset(path + 5, 'x', 200);
    struct ph_endpoint ep;
    char error[200] = "";
    CHECK(!ph_endpoint_parse(path, &ep, error, sizeof(error)));
}

int main(void)
{
    test_u32();
    test_quantity();
    test_size();
    test_endpoint();
    return CHECK_DONE();
}
