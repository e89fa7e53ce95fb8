"""Packets of every kind the dashboard decodes, and what Wireshark says of them.

`python -m tests.packet.corpus` writes both to web/test/packet/corpus.json, which the dashboard's
decoders are held to; test_corpus.py holds that file to the tshark that is installed.
"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import tempfile
from pathlib import Path

from tests.packet import protocols
from tests.packet.crafted import crafted

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "web" / "test" / "packet" / "corpus.json"
# Captured between two network namespaces: a host that pings, asks a name server, fetches pages.
KERNEL_TRAFFIC = Path(__file__).with_name("kernel_traffic.json")

TSHARK = shutil.which("tshark")
LINKTYPE_RAW = 101

NAMES = """
ipv6.version ip.hdr_len ip.dsfield ip.dsfield.dscp ip.dsfield.ecn ip.len ip.id ip.flags.df
ip.flags.mf ip.frag_offset ip.ttl ip.proto ip.checksum ip.checksum.status ip.src ip.dst
ip.opt.type ipv6.tclass.dscp ipv6.tclass.ecn ipv6.flow ipv6.plen ipv6.nxt ipv6.hlim ipv6.src
ipv6.dst ipv6.hopopts.nxt ipv6.dstopts.nxt ipv6.routing.nxt ipv6.routing.type ipv6.routing.segleft
ipv6.fraghdr.nxt ipv6.fraghdr.offset ipv6.fraghdr.more ipv6.fraghdr.ident ah.spi ah.sequence
tcp.srcport tcp.dstport tcp.len tcp.seq tcp.ack tcp.hdr_len tcp.flags tcp.flags.fin tcp.flags.syn
tcp.flags.reset tcp.flags.push tcp.flags.ack tcp.flags.urg tcp.flags.ece tcp.flags.cwr
tcp.window_size_value tcp.checksum tcp.checksum.status tcp.urgent_pointer tcp.options.mss_val
tcp.options.wscale.shift tcp.options.timestamp.tsval tcp.options.timestamp.tsecr
tcp.options.sack_le tcp.options.sack_re udp.srcport udp.dstport udp.length udp.checksum
udp.checksum.status icmp.type icmp.code icmp.checksum icmp.checksum.status icmp.ident icmp.seq
icmp.mtu icmp.redir_gw icmpv6.type icmpv6.code icmpv6.checksum icmpv6.checksum.status
icmpv6.echo.identifier icmpv6.echo.sequence_number icmpv6.mtu icmpv6.nd.ns.target_address
icmpv6.nd.na.target_address icmpv6.nd.na.flag.r icmpv6.nd.na.flag.s icmpv6.nd.na.flag.o
icmpv6.nd.ra.cur_hop_limit icmpv6.nd.ra.router_lifetime icmpv6.nd.ra.reachable_time
icmpv6.nd.ra.retrans_timer icmpv6.opt.linkaddr icmpv6.opt.prefix icmpv6.opt.prefix.length
icmpv6.opt.mtu icmpv6.mld.multicast_address icmpv6.mldr.nb_mcast_records
icmpv6.mldr.mar.multicast_address dns.id dns.flags dns.flags.response dns.flags.opcode
dns.flags.authoritative dns.flags.truncated dns.flags.recdesired dns.flags.recavail
dns.flags.rcode dns.count.queries dns.count.answers dns.count.auth_rr dns.count.add_rr
dns.qry.name dns.qry.type dns.qry.class dns.resp.name dns.resp.type dns.resp.ttl dns.resp.len
dns.a dns.aaaa dns.cname dns.ns dns.ptr.domain_name dns.mx.mail_exchange dns.srv.target dns.txt
dns.soa.mname http.request.method http.request.uri http.response.code http.host
tls.record.content_type tls.record.length tls.handshake.type tls.handshake.extensions_server_name
dhcp.option.dhcp dhcp.id dhcp.ip.your ntp.stratum
dhcp.option.hostname dhcp.option.router dhcp.option.request_list_item dns.count.labels
dns.qry.name.len dns.caa.tag dns.caa.value dns.sshfp.fingerprint dns.tlsa.selector dns.srv.port
dns.flags.conflict dns.flags.tentative nbns.id nbns.flags.opcode nbns.flags.broadcast nbns.type
nbns.addr igmp.version igmp.type igmp.maddr igmp.saddr igmp.num_grp_recs igmp.record_type
igmp.checksum.status dhcpv6.msgtype dhcpv6.xid dhcpv6.option.type dhcpv6.duid.bytes dhcpv6.iaid
dhcpv6.iaaddr.ip dhcpv6.dns_server dhcpv6.elapsed_time wg.type wg.sender wg.receiver wg.counter
gre.proto gre.key gre.sequence_number gre.checksum.status esp.spi esp.sequence ah.icv
sctp.srcport sctp.verification_tag sctp.chunk_type sctp.chunk_length sctp.data_tsn_raw
stun.type stun.type.class stun.id stun.att.type stun.att.ipv4 stun.att.port isakmp.ispi
isakmp.exchangetype isakmp.messageid isakmp.typepayload quic.version quic.dcid quic.scid
quic.long.packet_type quic.supported_version tls.alert_message.level tls.alert_message.desc
tls.handshake.extension.type tls.handshake.ciphersuite ipv6.routing.src.addr
ipv6.routing.srh.addr ip.cur_rt ip.src_rt snmp.version snmp.community ssh.protocol
tcp.options.wscale.multiplier tcp.option_kind icmp.pointer icmp.address_mask
"""
FIELDS = NAMES.split()

PREFERENCES = (
    "ip.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "udp.check_checksum:TRUE",
    "ip.defragment:FALSE",
    "ipv6.defragment:FALSE",
    "tcp.relative_sequence_numbers:FALSE",
    "tcp.analyze_sequence_numbers:FALSE",
    "tcp.desegment_tcp_streams:FALSE",
)


def known() -> list[bytes]:
    """What was captured, and what was built by hand."""
    captured = [bytes.fromhex(text) for text in json.loads(KERNEL_TRAFFIC.read_text("utf-8"))]
    return [*captured, *crafted()]


def packets() -> list[bytes]:
    """Every packet of the corpus, in an order that does not change."""
    return [*known(), *list(protocols.crafted())[:: protocols.STRIDE]]


def dissections(made: list[bytes]) -> list[dict[str, object]]:
    """What tshark says of each packet: its fields as numbers or text, protocol and line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corpus.pcap"
        with path.open("wb") as file:
            file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKTYPE_RAW))
            for packet in made:
                file.write(struct.pack("<IIII", 0, 0, len(packet), len(packet)) + packet)
        columns = ["_ws.col.Protocol", "_ws.col.Info", "_ws.malformed", *FIELDS]
        command = [str(TSHARK), "-n", "-r", str(path), "-T", "fields", "-E", "aggregator=|"]
        command += [part for one in PREFERENCES for part in ("-o", one)]
        command += [part for one in columns for part in ("-e", one)]
        # A home of its own: no profile of the user's may change what is printed.
        env = {"HOME": folder, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=env, timeout=120
        )
    lines = done.stdout.splitlines()
    assert len(lines) == len(made)
    return [_sorted_out(dict(zip(columns, line.split("\t"), strict=True))) for line in lines]


def _sorted_out(found: dict[str, str]) -> dict[str, object]:
    info = found.pop("_ws.col.Info")
    # What it says of other packets than this one.
    info = re.sub(r" \((?:no response found!|reply in \d+|request in \d+)\)", "", info)
    info = re.sub(r"(?<= Win=)\d+", found["tcp.window_size_value"].split("|")[0], info)
    for name in ("tcp.seq", "tcp.ack"):  # not relative, as the preferences say
        found[f"{name}_raw"] = found.pop(name)
    if found["_ws.col.Protocol"].startswith("ICMP"):
        # An error carries another packet, which it verifies in some errors and in others not.
        for protocol, own in (("tcp", 0), ("udp", 0), ("icmp", 1), ("icmpv6", 1)):
            name = f"{protocol}.checksum.status"
            parts = found[name].split("|") if found[name] else []
            found[name] = "|".join(parts[:own] + ["2"] * len(parts[own:]))
    return {
        "protocol": found.pop("_ws.col.Protocol"),
        "info": info,
        "malformed": bool(found.pop("_ws.malformed")),
        "fields": {name: _value(text) for name, text in found.items() if text},
    }


def _value(text: str) -> str:
    """Numbers in decimal: how tshark writes them differs between its versions."""
    parts = []
    for part in text.split("|"):
        if part in ("True", "False"):
            parts.append(str(int(part == "True")))
        elif re.fullmatch(r"0x[0-9a-f]+", part):
            parts.append(str(int(part, 16)))
        else:
            parts.append(part)
    return "|".join(parts)


def write() -> None:
    """Write the corpus for the dashboard's tests."""
    made = packets()
    lines = [
        json.dumps({"packet": packet.hex(), **found}, ensure_ascii=False, separators=(",", ":"))
        for packet, found in zip(made, dissections(made), strict=True)
    ]
    CORPUS.parent.mkdir(parents=True, exist_ok=True)
    CORPUS.write_text("[\n" + ",\n".join(lines) + "\n]\n", "utf-8")


if __name__ == "__main__":
    write()
