/* Messages as hexadecimal lines, answered with what they hold: how the vectors are checked. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

enum { LIMIT = 1 << 20 };

static void hex(const uint8_t *bytes, size_t length) {
    for (size_t index = 0; index < length; index++) printf("%02x", bytes[index]);
}

static void list(const uint8_t *column, uint32_t count) {
    if (!column) putchar('-');
    for (uint32_t index = 0; column && index < count; index++)
        printf("%s%u", index ? "," : "", batch_column(column, index));
    putchar(' ');
}

static void tell(const struct batch *batch) {
    printf("%" PRIu64 " %" PRIu64 " %d ", batch->sequence, batch->time_ns,
           (batch->flags & BATCH_INJECTED) != 0);
    list(batch->original_lengths, batch->count);
    list(batch->sequence_deltas, batch->count);
    const uint8_t *packet = batch->packets;
    for (uint32_t index = 0; index < batch->count; index++) {
        uint16_t length = batch_column(batch->lengths, index);
        if (index) putchar(',');
        hex(packet, length);
        packet += length;
    }
    uint8_t head[BATCH_HEADER];
    batch_head(head, batch);
    putchar(' ');
    hex(head, sizeof head);
    hex(batch->lengths, (size_t)(packet - batch->lengths)); /* columns and packets as they came */
}

int main(void) {
    char *line = malloc(LIMIT);
    uint8_t *message = malloc(LIMIT / 2);
    while (line && message && fgets(line, LIMIT, stdin)) {
        size_t length = strcspn(line, "\n") / 2;
        for (size_t index = 0; index < length; index++) {
            char digits[3] = {line[2 * index], line[2 * index + 1], 0};
            message[index] = (uint8_t)strtoul(digits, NULL, 16);
        }
        const char *fault = batch_check(message, length);
        struct batch batch;
        for (size_t offset = 0, size = 0; !fault && offset < length; offset += size) {
            batch_next(message + offset, length - offset, &batch, &size);
            if (offset) putchar('|');
            tell(&batch);
        }
        puts(fault ? fault : "");
    }
    free(line);
    free(message);
    return 0;
}
