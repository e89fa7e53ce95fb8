#!/usr/bin/perl
# Packets on standard input, each after its length, and replies to pings the same way back.
use strict;
use warnings;

binmode STDIN;
binmode STDOUT;
$| = 1;
while (read(STDIN, my $length, 2) == 2) {
    read(STDIN, my $packet, unpack("n", $length));
    # An ICMP echo request: source and destination change places, type 8 becomes 0.
    my ($start, $source, $destination, $type, $checksum, $rest) = unpack("a12 a4 a4 n n a*", $packet);
    next unless substr($packet, 0, 1) eq "\x45" and substr($packet, 9, 1) eq "\x01" and $type == 0x0800;
    $checksum += 0x0800;
    $checksum = ($checksum & 0xffff) + ($checksum >> 16);
    my $reply = pack("a12 a4 a4 n n a*", $start, $destination, $source, 0, $checksum, $rest);
    syswrite(STDOUT, $length . $reply);
}
