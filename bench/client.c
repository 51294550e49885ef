/* A load client for streamed HTTP/1.1 answers that stamps every event as it arrives.
 *
 * Sends the same raw request on many connections and reads chunked server-sent events. Two modes:
 *
 *   paced   (--ttft and --gap given)  each connection asks once; arrivals are spread at random
 *           over --ramp seconds. Token k of an answer is due at sent + ttft + k * gap; its lateness
 *           is arrival - due. What is reported covers the tokens due within the window, which
 *           opens --settle seconds after the ramp and lasts --window seconds.
 *   closed  (otherwise)  each connection asks again as soon as its answer has ended, until the
 *           window closes.
 *
 * One thread, epoll, CLOCK_MONOTONIC. An event has arrived when the kernel put its last segment
 * into the socket (SO_TIMESTAMPNS), so that how soon this process gets a processor is not part of
 * it; when it was read is reported beside it. --pause lets the client sleep so many seconds
 * between two rounds of reading, which spares the machine a wake-up for every event.
 *
 * Where the request has sixteen @ in a row, the time at which it is sent goes, in nanoseconds of
 * CLOCK_MONOTONIC. With --cut, streams that are open when the window has closed are left, and counted
 * as such.
 *
 * Prints one JSON object a line: {"mark":"open"} and {"mark":"close"} as the window opens and
 * closes, then the result.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 4096, READ_MAX = 1 << 18, BATCH = 512, STAMP = 16 };

enum phase { IDLE, CONNECTING, SENDING, HEAD, SIZE, DATA, DATA_END, TRAILER, DONE };

struct stream {
    int fd;
    enum phase phase;
    size_t written;    /* bytes of the request sent so far */
    size_t left;       /* bytes of the chunk still to come */
    size_t head_size;  /* bytes of the response head collected so far */
    size_t line_size;  /* bytes of the current line, '\r' not counted */
    bool has_field;    /* the current event has a line that is not a comment */
    bool size_digits;  /* the hexadecimal digits of a chunk size have not ended */
    int64_t events;
    double start;      /* when to connect */
    double sent;       /* when the request left */
    double least;      /* least lateness seen on this stream */
    char head[HEAD_MAX];
};

static struct {
    int port;
    int64_t streams, lead, tokens, tail;
    double ramp, settle, window, limit, pause, ttft, gap;
    const char *request;
    bool paced, cut;
} want = {.streams = 1, .window = 1, .limit = 30};

struct moment {
    double arrived; /* in the socket */
    double read;    /* by this process */
};

static struct stream *streams;
static char *request;
static size_t request_size;
static char *stamp; /* where in the request its time goes, if it has a place for it */
static int poller;
static double began, opens, closes; /* the window as planned */

static struct {
    int64_t answers, failed, refused, miscounted, unfinished, cut; /* streams, by how they ended */
    int64_t events, window_events, window_reads, early, due, delivered, missing;
    int64_t open_at_open, open_at_close, live;
    bool marked_open, marked_close;
    double opened, closed, cpu_open, cpu_close;
} seen;

/* Milliseconds, a token of the window each: by arrival, by when it was read, and by arrival less
 * the stream's least lateness, which is what the request lost on its way to the server's clock. */
static float *late, *late_read, *late_paced;
static int32_t *late_of; /* whose token it was: an index into streams */
static int64_t late_size;

static double seconds(const struct timespec *t) {
    return (double)t->tv_sec + (double)t->tv_nsec * 1e-9;
}

static double read_clock(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return seconds(&t);
}

static double now(void) { return read_clock(CLOCK_MONOTONIC); }

static double cpu(void) { return read_clock(CLOCK_PROCESS_CPUTIME_ID); }

static void fail(const char *what) {
    fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static bool in_window(double t) { return t >= opens && t < closes; }

/* --- one stream ---------------------------------------------------------------------------- */

static void finish(struct stream *s, int64_t *how) {
    if (s->phase > SENDING) seen.live--;
    if (s->fd >= 0) close(s->fd);
    s->fd = -1;
    s->phase = DONE;
    ++*how;
}

static void watch(struct stream *s, uint32_t events, int op) {
    struct epoll_event e = {.events = events, .data.ptr = s};
    if (epoll_ctl(poller, op, s->fd, &e) < 0) fail("epoll_ctl");
}

static void begin_answer(struct stream *s) {
    s->phase = SENDING;
    s->written = s->head_size = s->line_size = 0;
    s->has_field = false;
    s->events = 0;
    s->least = 1e9;
}

static void push(struct stream *s) {
    if (s->written == 0) {
        s->sent = now();
        if (stamp) {
            char digits[STAMP + 1];
            snprintf(digits, sizeof digits, "%016lld", (long long)(s->sent * 1e9));
            memcpy(stamp, digits, STAMP);
        }
    }
    while (s->written < request_size) {
        ssize_t n = send(s->fd, request + s->written, request_size - s->written, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(s, EPOLLOUT, EPOLL_CTL_MOD);
            return;
        }
        if (n < 0) {
            finish(s, &seen.failed);
            return;
        }
        s->written += (size_t)n;
    }
    s->phase = HEAD;
    seen.live++;
    watch(s, EPOLLIN, EPOLL_CTL_MOD);
}

static void dial(struct stream *s) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)want.port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0) fail("socket");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
    s->phase = CONNECTING;
    if (connect(s->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) {
        finish(s, &seen.failed);
        return;
    }
    watch(s, EPOLLOUT, EPOLL_CTL_ADD);
}

static void dialled(struct stream *s) {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        finish(s, &seen.failed);
        return;
    }
    begin_answer(s);
    push(s);
}

static void note(const struct stream *s, double arrived, double read) {
    late[late_size] = (float)(arrived * 1e3);
    late_read[late_size] = (float)(read * 1e3);
    late_of[late_size++] = (int32_t)(s - streams);
}

static void on_event(struct stream *s, struct moment at) {
    int64_t token = s->events++ - want.lead;
    seen.events++;
    if (seen.marked_open && !seen.marked_close) seen.window_events++;
    if (!want.paced || token < 0 || token >= want.tokens) return;
    double due = s->sent + want.ttft + (double)token * want.gap;
    double lateness = at.arrived - due;
    if (lateness < s->least) s->least = lateness;
    if (!in_window(due)) return;
    note(s, lateness, at.read - due);
    if (lateness < 0) seen.early++;
    if (at.arrived < closes + want.gap) seen.delivered++;
}

/* Server-sent events: an empty line ends an event that has at least one field. */
static void on_body(struct stream *s, const char *data, size_t size, struct moment at) {
    const char *end = data + size;
    while (data < end) {
        const char *newline = memchr(data, '\n', (size_t)(end - data));
        const char *stop = newline ? newline : end;
        size_t length = (size_t)(stop - data);
        if (length && stop[-1] == '\r') length--;
        if (length && s->line_size == 0 && data[0] != ':') s->has_field = true;
        s->line_size += length;
        if (!newline) return;
        if (s->line_size == 0 && s->has_field) {
            on_event(s, at);
            s->has_field = false;
        }
        s->line_size = 0;
        data = newline + 1;
    }
}

static void on_end(struct stream *s) {
    int64_t expected = want.lead + want.tokens + want.tail;
    if (s->events != expected) {
        finish(s, &seen.miscounted);
        return;
    }
    if (want.paced || seen.marked_close) {
        finish(s, &seen.answers);
        return;
    }
    seen.answers++;
    seen.live--;
    begin_answer(s);
    push(s);
}

/* The head must be a 200 with a chunked body; returns how much of `data` belongs to it. */
static size_t on_head(struct stream *s, const char *data, size_t size) {
    size_t before = s->head_size;
    size_t room = HEAD_MAX - 1 - before;
    size_t take = size < room ? size : room;
    memcpy(s->head + before, data, take);
    s->head_size += take;
    s->head[s->head_size] = 0;
    char *end = strstr(s->head, "\r\n\r\n");
    if (!end) {
        if (take < size || s->head_size == HEAD_MAX - 1) finish(s, &seen.failed);
        return size;
    }
    *end = 0;
    if (strncmp(s->head, "HTTP/1.1 200", 12) || !strcasestr(s->head, "\ntransfer-encoding: chunked")) {
        if (!seen.refused && !seen.failed) fprintf(stderr, "client: answer was\n%s\n", s->head);
        finish(s, &seen.refused);
        return size;
    }
    s->phase = SIZE;
    s->left = 0;
    s->size_digits = true;
    return (size_t)(end - s->head) + 4 - before;
}

static void on_size_byte(struct stream *s, char c) {
    if (c == '\n') {
        s->phase = s->left ? DATA : TRAILER;
        s->line_size = s->left ? s->line_size : 0;
        return;
    }
    int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    if (digit < 0) s->size_digits = false;
    if (s->size_digits) s->left = s->left * 16 + (size_t)digit;
}

static void on_bytes(struct stream *s, const char *data, size_t size, struct moment at) {
    while (size && s->phase >= HEAD && s->phase != DONE) {
        size_t used = 1;
        switch (s->phase) {
        case HEAD:
            used = on_head(s, data, size);
            break;
        case SIZE:
            on_size_byte(s, *data);
            break;
        case DATA:
            used = size < s->left ? size : s->left;
            on_body(s, data, used, at);
            s->left -= used;
            if (!s->left) s->phase = DATA_END;
            break;
        case DATA_END: /* "\r\n" after a chunk */
            if (*data == '\n') {
                s->phase = SIZE;
                s->size_digits = true;
            }
            break;
        case TRAILER: /* an empty line ends the answer */
            if (*data == '\n' && s->line_size == 0) {
                on_end(s);
                return;
            }
            s->line_size = *data == '\n' ? 0 : s->line_size + (*data != '\r');
            break;
        default:
            return;
        }
        data += used;
        size -= used;
    }
}

/* When the kernel had what `m` brought, by the monotonic clock; `read` where it does not say. */
static struct moment moment_of(struct msghdr *m) {
    struct moment at = {.read = now()};
    at.arrived = at.read;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        struct timespec stamp;
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
        memcpy(&stamp, CMSG_DATA(c), sizeof stamp);
        double age = read_clock(CLOCK_REALTIME) - seconds(&stamp);
        if (age > 0 && age < 60) at.arrived = at.read - age;
    }
    return at;
}

static void pull(struct stream *s) {
    static char buffer[READ_MAX];
    char control[256];
    struct iovec whole = {buffer, sizeof buffer};
    struct msghdr m = {.msg_iov = &whole, .msg_iovlen = 1, .msg_control = control};
    m.msg_controllen = sizeof control;
    ssize_t n = recvmsg(s->fd, &m, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        finish(s, &seen.failed);
        return;
    }
    if (seen.marked_open && !seen.marked_close) seen.window_reads++;
    on_bytes(s, buffer, (size_t)n, moment_of(&m));
}

/* --- the run ------------------------------------------------------------------------------- */

static void mark(const char *name, double at, bool *done, double *when, double *used, int64_t *open) {
    if (*done) return;
    *done = true;
    *when = at;
    *used = cpu();
    *open = seen.live;
    printf("{\"mark\":\"%s\"}\n", name);
    fflush(stdout);
}

static void mark_open(double at) {
    mark("open", at, &seen.marked_open, &seen.opened, &seen.cpu_open, &seen.open_at_open);
}

static void mark_close(double at) {
    mark_open(at);
    mark("close", at, &seen.marked_close, &seen.closed, &seen.cpu_close, &seen.open_at_close);
}

static int64_t ended(void) { return seen.answers + seen.failed + seen.refused + seen.miscounted; }

static bool over(void) {
    if (want.paced) return ended() == want.streams;
    for (int64_t i = 0; i < want.streams; i++)
        if (streams[i].phase != DONE) return false;
    return true;
}

static void rest(double pause) {
    struct timespec t = {.tv_nsec = (long)(pause * 1e9)};
    nanosleep(&t, NULL);
}

static void run(void) {
    struct epoll_event ready[BATCH];
    int64_t next = 0;
    int count = 0;
    while (!(next == want.streams && over())) {
        double at = now();
        while (next < want.streams && streams[next].start <= at) dial(&streams[next++]);
        if (at >= opens) mark_open(at);
        if (at >= closes) mark_close(at);
        if (at >= closes + want.limit || (want.cut && at >= closes + want.gap)) break;
        double until = closes + (want.cut ? want.gap : want.limit);
        if (next < want.streams) until = streams[next].start;
        if (at < opens && opens < until) until = opens;
        if (at < closes && closes < until) until = closes;
        if (want.pause > 0 && count < BATCH && until - at > want.pause) rest(want.pause);
        count = epoll_wait(poller, ready, BATCH, (int)((until - at) * 1e3) + 1);
        if (count < 0 && errno != EINTR) fail("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct stream *s = ready[i].data.ptr;
            if (s->phase == CONNECTING) dialled(s);
            else if (s->phase == SENDING) push(s);
            else if (s->phase != DONE) pull(s);
        }
    }
    mark_close(now());
}

/* Tokens that were due within the window and never came count with the time waited for them. */
static void count_due(double end) {
    for (int64_t i = 0; i < want.streams && want.paced; i++) {
        struct stream *s = &streams[i];
        if (s->sent == 0) continue;
        for (int64_t k = 0; k < want.tokens; k++) {
            double due = s->sent + want.ttft + (double)k * want.gap;
            bool arrived = k < s->events - want.lead;
            if (!in_window(due) || (!arrived && due > end)) continue;
            seen.due++;
            if (arrived) continue;
            seen.missing++;
            note(s, end - due, end - due);
        }
    }
}

/* --- the report ---------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void print_quantiles(const char *name, float *values, int64_t size) {
    static const struct { const char *name; double share; } points[] = {
        {"min", 0}, {"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"max", 1}};
    qsort(values, (size_t)size, sizeof *values, ascending);
    printf("\"%s\":", name);
    if (!size) {
        printf("null,");
        return;
    }
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        int64_t rank = (int64_t)(points[i].share * (double)size);
        if (rank >= size) rank = size - 1;
        printf("%s\"%s\":%.4f", i ? "," : "{", points[i].name, (double)values[rank]);
    }
    printf("},");
}

static void report(void) {
    float *offsets = malloc(sizeof(float) * (size_t)want.streams);
    int64_t size = 0;
    for (int64_t i = 0; i < want.streams && want.paced; i++)
        if (streams[i].least < 1e9) offsets[size++] = (float)(streams[i].least * 1e3);
    printf("{");
    for (int64_t i = 0; i < late_size; i++)
        late_paced[i] = late[i] - (float)(streams[late_of[i]].least * 1e3);
    print_quantiles("late_paced_ms", late_paced, late_size);
    print_quantiles("late_ms", late, late_size);
    print_quantiles("late_read_ms", late_read, late_size);
    print_quantiles("offset_ms", offsets, size);
    printf("\"cut\":%ld,", seen.cut);
    printf("\"answers\":%ld,\"failed\":%ld,\"refused\":%ld,\"miscounted\":%ld,\"unfinished\":%ld,",
           seen.answers, seen.failed, seen.refused, seen.miscounted, seen.unfinished);
    printf("\"events\":%ld,\"window_events\":%ld,\"window_reads\":%ld,", seen.events,
           seen.window_events, seen.window_reads);
    printf("\"due\":%ld,\"delivered\":%ld,\"missing\":%ld,\"early\":%ld,", seen.due, seen.delivered,
           seen.missing, seen.early);
    printf("\"open_at_open\":%ld,\"open_at_close\":%ld,", seen.open_at_open, seen.open_at_close);
    printf("\"window_s\":%.4f,\"window_cpu_s\":%.4f,\"wall_s\":%.4f}\n", seen.closed - seen.opened,
           seen.cpu_close - seen.cpu_open, now() - began);
}

/* --- start --------------------------------------------------------------------------------- */

static void read_options(int argc, char **argv) {
    static const char *names[] = {"port", "request", "streams", "ramp", "settle", "window",
                                  "limit", "pause", "lead", "tokens", "tail", "ttft", "gap", "cut"};
    enum { NAMES = sizeof names / sizeof *names };
    struct option options[NAMES + 1] = {0};
    for (int i = 0; i < NAMES; i++) options[i] = (struct option){names[i], required_argument, 0, 0};
    int which, code;
    while ((code = getopt_long(argc, argv, "", options, &which)) == 0) {
        double value = atof(optarg);
        switch (which) {
        case 0: want.port = (int)value; break;
        case 1: want.request = optarg; break;
        case 2: want.streams = (int64_t)value; break;
        case 3: want.ramp = value; break;
        case 4: want.settle = value; break;
        case 5: want.window = value; break;
        case 6: want.limit = value; break;
        case 7: want.pause = value; break;
        case 8: want.lead = (int64_t)value; break;
        case 9: want.tokens = (int64_t)value; break;
        case 10: want.tail = (int64_t)value; break;
        case 11: want.ttft = value; want.paced = true; break;
        case 12: want.gap = value; want.paced = true; break;
        case 13: want.cut = value != 0; break;
        }
    }
    if (code != -1 || optind != argc || !want.port || !want.request || want.streams < 1) {
        fprintf(stderr, "client: --port, --request and --streams (at least 1) are needed\n");
        exit(2);
    }
}

static void read_request(void) {
    FILE *file = fopen(want.request, "rb");
    if (!file) fail(want.request);
    fseek(file, 0, SEEK_END);
    request_size = (size_t)ftell(file);
    rewind(file);
    request = malloc(request_size);
    if (!request || fread(request, 1, request_size, file) != request_size) fail(want.request);
    fclose(file);
    stamp = memmem(request, request_size, "@@@@@@@@@@@@@@@@", STAMP);
}

static void allow_files(void) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur < (rlim_t)want.streams + 16) {
        fprintf(stderr, "client: %ld streams need more open files than the limit of %ld\n",
                want.streams, (long)files.rlim_cur);
        exit(1);
    }
}

static int by_start(const void *a, const void *b) {
    double x = ((const struct stream *)a)->start, y = ((const struct stream *)b)->start;
    return (x > y) - (x < y);
}

static void plan_arrivals(void) {
    unsigned short state[3] = {1, 2, 3}; /* the same arrivals every time */
    streams = calloc((size_t)want.streams, sizeof *streams);
    size_t most = want.paced ? (size_t)(want.streams * want.tokens) : 1;
    late = malloc(sizeof *late * most);
    late_read = malloc(sizeof *late_read * most);
    late_paced = malloc(sizeof *late_paced * most);
    late_of = malloc(sizeof *late_of * most);
    if (!streams || !late || !late_read || !late_paced || !late_of) fail("memory");
    began = now();
    opens = began + want.ramp + want.settle;
    closes = opens + want.window;
    for (int64_t i = 0; i < want.streams; i++) {
        streams[i].fd = -1;
        streams[i].least = 1e9;
        streams[i].start = began + want.ramp * erand48(state);
    }
    qsort(streams, (size_t)want.streams, sizeof *streams, by_start);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    read_request();
    allow_files();
    poller = epoll_create1(0);
    if (poller < 0) fail("epoll_create1");
    plan_arrivals();
    run();
    for (int64_t i = 0; i < want.streams; i++)
        if (streams[i].phase != DONE) ++*(want.cut && streams[i].phase > SENDING ? &seen.cut : &seen.unfinished);
    count_due(now());
    report();
    return 0;
}
