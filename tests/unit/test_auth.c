/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/auth.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char dir[64] = "/tmp/porthole-auth-XXXXXX";
static char path[96];
static char error[256];

static void write_file(const char *text, mode_t mode)
{
    unlink(path);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, mode);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
    CHECK_EQ(fchmod(fd, mode), 0);
    close(fd);
}

static bool load(char token[PH_STREAM_MAX_TOKEN + 1])
{
    error[0] = 0;
    bool ok = ph_auth_load(path, token, error, sizeof(error));
    CHECK(ok == !error[0]);
    return ok;
}

static void test_make(void)
{
    char a[PH_AUTH_TOKEN_TEXT];
    char b[PH_AUTH_TOKEN_TEXT];
    ph_auth_make_token(a);
    ph_auth_make_token(b);
    CHECK_EQ(strlen(a), 43);
    CHECK_EQ(strspn(a,
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789-_"),
            43);
    CHECK(strcmp(a, b) != 0);
}

static void test_file(void)
{
    char token[PH_STREAM_MAX_TOKEN + 1];
    char again[PH_STREAM_MAX_TOKEN + 1];
    struct stat st;
    CHECK(load(token));
    CHECK_EQ(stat(path, &st), 0);
    CHECK_EQ(st.st_mode & 0777, 0600);
    CHECK(load(again));
    CHECK_STR(token, again);
    CHECK_EQ(strlen(token), 43);

    write_file("chosen-by-somebody\n", 0600);
    CHECK(load(token));
    CHECK_STR(token, "chosen-by-somebody");
    write_file("no-newline-at-the-end", 0600);
    CHECK(load(token));
    CHECK_STR(token, "no-newline-at-the-end");

    write_file("chosen-by-somebody\n", 0640);
    CHECK(!load(token));
    CHECK(strstr(error, "chmod 600"));
    static const char *const bad[] = {
            "", "\n", "short\n", "with a blank inside\n", "two\nlines-of-it\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        write_file(bad[i], 0600);
        CHECK(!load(token));
    }
    char longest[PH_STREAM_MAX_TOKEN + 3];
    memset(longest, 'x', sizeof(longest));
    longest[PH_STREAM_MAX_TOKEN] = '\n';
    longest[PH_STREAM_MAX_TOKEN + 1] = 0;
    write_file(longest, 0600);
    CHECK(load(token));
    CHECK_EQ(strlen(token), PH_STREAM_MAX_TOKEN);
    longest[PH_STREAM_MAX_TOKEN] = 'x';
    write_file(longest, 0600);
    CHECK(!load(token));

    unlink(path);
    CHECK(!ph_auth_load("/nonexistent/dir/token", token, error, sizeof(error)));
    CHECK(strstr(error, "/nonexistent/dir/token"));
}

static void test_check(void)
{
    struct ph_auth auth = {.drive = "drive-token-of-ours"};
    CHECK_EQ(ph_auth_check(&auth, "drive-token-of-ours"), PH_AUTH_DRIVE);
    CHECK_EQ(ph_auth_check(&auth, "drive-token-of-our"), PH_AUTH_NONE);
    CHECK_EQ(ph_auth_check(&auth, "drive-token-of-ours2"), PH_AUTH_NONE);
    CHECK_EQ(ph_auth_check(&auth, "Drive-token-of-ours"), PH_AUTH_NONE);
    /* There is no token for viewing: the empty one is not it. */
    CHECK_EQ(ph_auth_check(&auth, ""), PH_AUTH_NONE);
    snprintf(auth.view, sizeof(auth.view), "view-token-of-ours");
    CHECK_EQ(ph_auth_check(&auth, "view-token-of-ours"), PH_AUTH_VIEW);
    CHECK_EQ(ph_auth_check(&auth, "drive-token-of-ours"), PH_AUTH_DRIVE);
    CHECK_EQ(ph_auth_check(&auth, ""), PH_AUTH_NONE);
}

static struct ph_auth listening(const char *host, uint16_t port)
{
    struct ph_auth auth = {.port = port};
    snprintf(auth.host, sizeof(auth.host), "%s", host);
    return auth;
}

static void test_host(void)
{
    struct ph_auth auth = listening("192.0.2.7", 8080);
    CHECK(ph_auth_host_allowed(&auth, "127.0.0.1:8080"));
    CHECK(ph_auth_host_allowed(&auth, "localhost:8080"));
    CHECK(ph_auth_host_allowed(&auth, "LocalHost:8080"));
    CHECK(ph_auth_host_allowed(&auth, "[::1]:8080"));
    CHECK(ph_auth_host_allowed(&auth, "192.0.2.7:8080"));
    static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:8081",
            "localhost", "evil.example:8080", "localhost.evil.example:8080",
            "127.0.0.1:8080:8080", "127.0.0.1:", "127.0.0.1:x", "[::1",
            "[::1]8080", "[]:8080", ":8080", "evil.example@127.0.0.1:8080"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (!CHECK(!ph_auth_host_allowed(&auth, bad[i]))) {
            fprintf(stderr, "accepted: '%s'\n", bad[i]);
        }
    }
    CHECK(!ph_auth_host_allowed(&auth, NULL));

    auth.hosts = (struct ph_opt_list){{"desk.example", "other.example:99"}, 2};
    CHECK(ph_auth_host_allowed(&auth, "desk.example"));
    CHECK(ph_auth_host_allowed(&auth, "desk.example:1234"));
    CHECK(ph_auth_host_allowed(&auth, "other.example:99"));
    CHECK(!ph_auth_host_allowed(&auth, "other.example:98"));
    CHECK(!ph_auth_host_allowed(&auth, "a.desk.example"));

    auth = listening("127.0.0.1", 80);
    CHECK(ph_auth_host_allowed(&auth, "127.0.0.1"));
}

static void test_origin(void)
{
    struct ph_auth auth = listening("127.0.0.1", 8080);
    CHECK(ph_auth_origin_allowed(&auth, NULL));
    CHECK(ph_auth_origin_allowed(&auth, "http://127.0.0.1:8080"));
    CHECK(ph_auth_origin_allowed(&auth, "http://localhost:8080"));
    CHECK(ph_auth_origin_allowed(&auth, "http://[::1]:8080"));
    CHECK(!ph_auth_origin_allowed(&auth, "http://localhost"));
    CHECK(!ph_auth_origin_allowed(&auth, "http://localhost:8081"));
    CHECK(!ph_auth_origin_allowed(&auth, "https://evil.example"));
    CHECK(!ph_auth_origin_allowed(&auth, "null"));
    CHECK(!ph_auth_origin_allowed(&auth, ""));
    CHECK(!ph_auth_origin_allowed(&auth, "file://"));
    CHECK(!ph_auth_origin_allowed(&auth, "http://localhost:8080.evil.example"));

    auth.hosts = (struct ph_opt_list){{"desk.example"}, 1};
    auth.origins = (struct ph_opt_list){{"https://portal.example:8443"}, 1};
    CHECK(ph_auth_origin_allowed(&auth, "https://desk.example"));
    CHECK(ph_auth_origin_allowed(&auth, "https://portal.example:8443"));
    CHECK(!ph_auth_origin_allowed(&auth, "https://portal.example"));
    CHECK(!ph_auth_origin_allowed(&auth, "http://portal.example:8443"));
}

static void test_same_tokens(void)
{
    struct ph_auth auth = {.drive = "0123456789abcdef"};
    CHECK(ph_auth_tokens_differ(&auth, error, sizeof(error)));
    snprintf(auth.view, sizeof(auth.view), "0123456789abcdefg");
    CHECK(ph_auth_tokens_differ(&auth, error, sizeof(error)));
    error[0] = 0;
    snprintf(auth.drive, sizeof(auth.drive), "0123456789abcdefg");
    CHECK(!ph_auth_tokens_differ(&auth, error, sizeof(error)));
    CHECK(strstr(error, "the same") != NULL);
}

int main(void)
{
    if (!CHECK(mkdtemp(dir))) {
        return 1;
    }
    snprintf(path, sizeof(path), "%s/token", dir);
    test_make();
    test_file();
    test_check();
    test_host();
    test_origin();
    test_same_tokens();
    CHECK_EQ(rmdir(dir), 0); /* no temporary file stays */
    return CHECK_DONE();
}
