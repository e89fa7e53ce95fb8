/* Answer pings to any address behind an adapter: tunnel SESSION raw|batch. With libwebsockets. */
#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "echo.h"

enum { LARGEST = 1 << 20, WAITING = 1024 }; /* bytes of a message, replies that may wait */

struct reply {
    size_t length;
    uint8_t *bytes; /* after LWS_PRE bytes for the library */
};

static struct reply replies[WAITING]; /* a ring; when it is full, replies are dropped */
static unsigned first, last;
static uint8_t message[LARGEST];
static size_t length;
static int batches;

static void put_back(struct lws *socket, const uint8_t *bytes, size_t size) {
    if (last - first == WAITING) return;
    struct reply *reply = &replies[last % WAITING];
    reply->bytes = malloc(LWS_PRE + size);
    if (!reply->bytes) return;
    memcpy(reply->bytes + LWS_PRE, bytes, size);
    reply->length = size;
    last++;
    lws_callback_on_writable(socket);
}

static void answer_packet(struct lws *socket) {
    static uint8_t reply[65535];
    size_t size = echo_reply(message, length, reply);
    if (size) put_back(socket, reply, size);
}

static int answer_batches(struct lws *socket) {
    static uint8_t lengths[2 * 65536], packets[LARGEST], out[BATCH_HEADER + sizeof lengths + LARGEST];
    struct batch batch, sent = {0};
    if (batch_check(message, length)) return -1;
    for (size_t offset = 0, size = 0; offset < length; offset += size) {
        batch_next(message + offset, length - offset, &batch, &size);
        const uint8_t *packet = batch.packets;
        for (uint32_t index = 0; index < batch.count && sent.count < 65536; index++) {
            uint16_t bytes = batch_column(batch.lengths, index);
            size_t reply = echo_reply(packet, bytes, packets + sent.payload);
            if (reply) batch_write(lengths + 2 * sent.count++, reply, 2);
            sent.payload += reply;
            packet += bytes;
        }
    }
    if (sent.count == 0) return 0;
    batch_head(out, &sent);
    memcpy(out + BATCH_HEADER, lengths, 2 * sent.count);
    memcpy(out + BATCH_HEADER + 2 * sent.count, packets, sent.payload);
    put_back(socket, out, BATCH_HEADER + 2 * sent.count + sent.payload);
    return 0;
}

static int on_event(struct lws *socket, enum lws_callback_reasons event, void *user, void *in, size_t size) {
    (void)user;
    switch (event) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: {
        char bearer[512], **at = in;
        int end = snprintf(bearer, sizeof bearer, "Bearer %s", getenv("TOKEN"));
        return lws_add_http_header_by_token(socket, WSI_TOKEN_HTTP_AUTHORIZATION, (uint8_t *)bearer, end,
                                            (uint8_t **)at, (uint8_t *)*at + size);
    }
    case LWS_CALLBACK_CLIENT_RECEIVE:
        if (!lws_frame_is_binary(socket)) return 0; /* hello, lost, ack and ended of v1.batch, as JSON */
        if (length + size > LARGEST) return -1;
        memcpy(message + length, in, size);
        length += size;
        if (lws_remaining_packet_payload(socket) || !lws_is_final_fragment(socket)) return 0;
        if (!batches) answer_packet(socket);
        else if (answer_batches(socket)) return -1;
        length = 0;
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        if (first == last) return 0;
        struct reply reply = replies[first++ % WAITING];
        int sent = lws_write(socket, reply.bytes + LWS_PRE, reply.length, LWS_WRITE_BINARY);
        free(reply.bytes);
        if (sent < (int)reply.length) return -1;
        if (first != last) lws_callback_on_writable(socket);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_CLOSED:
        fprintf(stderr, "closed: %.*s\n", (int)size, in ? (char *)in : "");
        exit(1);
    default:
        return 0;
    }
}

int main(int count, char **arguments) {
    char *api = getenv("API"), path[256], protocol[64], host[128], authority[160];
    int port;
    if (count != 3 || !api || sscanf(api, "http://%127[^:]:%d", host, &port) != 2) {
        fprintf(stderr, "usage: API=http://127.0.0.1:9886 TOKEN=... tunnel SESSION raw|batch\n");
        return 2;
    }
    batches = strcmp(arguments[2], "batch") == 0;
    snprintf(path, sizeof path, "/v1/sessions/%s/packets", arguments[1]);
    snprintf(protocol, sizeof protocol, "v1.%s.wintun-api", arguments[2]);
    snprintf(authority, sizeof authority, "%s:%d", host, port); /* the Host header, which is checked */

    struct lws_protocols protocols[] = {{.name = protocol, .callback = on_event, .rx_buffer_size = 65536}, {0}};
    struct lws_context_creation_info settings = {.port = CONTEXT_PORT_NO_LISTEN, .protocols = protocols};
    lws_set_log_level(LLL_ERR, NULL);
    struct lws_context *context = lws_create_context(&settings);
    struct lws_client_connect_info connection = {
        .context = context, .address = host, .port = port, .path = path,
        .host = authority, .protocol = protocol, .local_protocol_name = protocol,
    };
    if (!lws_client_connect_via_info(&connection)) return 1;
    while (lws_service(context, 0) >= 0) continue;
    return 0;
}
