/** Protocols that are not decoded here: their packets are found by the ports that they use. */

/** Wireshark's name of each, its transport or `-` for several, and its registered ports. */
const PROTOCOLS = `amqp tcp 5672
bfd udp 3784
bgp tcp 179
coap udp 5683
finger tcp 79
ftp tcp 21
ftp-data tcp 20
geneve udp 6081
git tcp 9418
gtp udp 2152
http3 udp 443
imap tcp 143 993
imaps tcp 993
irc tcp 6667
kerberos - 88
l2tp udp 1701
ldap tcp 389 636
ldaps tcp 636
mqtt tcp 1883
mysql tcp 3306
nbss tcp 139 445
nfs - 2049
openvpn - 1194
pgsql tcp 5432
pop tcp 110 995
pop3 tcp 110
pop3s tcp 995
pptp tcp 1723
ptp udp 319 320
radius udp 1812 1813
rdp tcp 3389
redis tcp 6379
rip udp 520
ripng udp 521
rlogin tcp 513
rpc - 111
rsync tcp 873
rtsp tcp 554
sip - 5060
sips tcp 5061
smb tcp 139 445
smtp tcp 25 465 587
smtps tcp 465
socks tcp 1080
syslog udp 514
tds tcp 1433
telnet tcp 23
teredo udp 3544
tftp udp 69
tns tcp 1521
vnc tcp 5900
vxlan udp 4789
whois tcp 43
xmpp tcp 5222`;

const LINES = PROTOCOLS.split("\n").map((line) => line.split(" "));

/** The first port of each. */
export const UNDECODED_PORTS = new Map(
  LINES.map(([name = "", , port]): [string, number] => [name, Number(port)]),
);

/** Return the filter that finds a protocol by its ports, `tcp.port == 21` for "ftp". */
export function byPort(protocol: string): string | undefined {
  const [, transport, ...ports] = LINES.find(([name]) => name === protocol) ?? [];
  if (transport === undefined) return undefined;
  const field = transport === "-" ? "port" : `${transport}.port`;
  return ports.length > 1 ? `${field} in {${ports.join(", ")}}` : `${field} == ${ports[0]}`;
}
