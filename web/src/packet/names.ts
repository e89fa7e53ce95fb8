/** Numbers and their names, as Wireshark writes them. */

/**
 * A name for each number, with commas between; a number that is not written is one more than the
 * one before. What it is a table of stands in front.
 */
const TABLES: Readonly<Record<string, string>> = {
  IP: "0 IPv6 Hop-by-Hop Option,ICMP,IGMP,4 IPIP,6 TCP,17 UDP,33 DCCP,41 IPv6,43 Routing Header for IPv6,Fragment Header for IPv6,46 RSVP,GRE,50 ESP,AH,58 ICMPv6,IPv6 no next header,Destination Options for IPv6,88 EIGRP,OSPF,103 PIM,112 VRRP,115 L2TP,132 SCTP,135 Mobility,UDPLite,139 HIP,Shim6",
  ICMP: "0 Echo (ping) reply,3 Destination unreachable,Source quench (flow control),Redirect,Alternate host address,8 Echo (ping) request,Router advertisement,Router solicitation,Time-to-live exceeded,Parameter problem,Timestamp request,Timestamp reply,Information request,Information reply,Address mask request,Address mask reply,30 Traceroute,40 Photuris,42 Extended Echo request,Extended Echo reply",
  ICMP3:
    "0 Network unreachable,Host unreachable,Protocol unreachable,Port unreachable,Fragmentation needed,Source route failed,Network unknown,Host unknown,Source host isolated,Network administratively prohibited,Host administratively prohibited,Network unreachable for TOS,Host unreachable for TOS,Communication administratively filtered,Host precedence violation,Precedence cutoff in effect",
  ICMP5:
    "0 Redirect for network,Redirect for host,Redirect for TOS and network,Redirect for TOS and host",
  ICMP11: "0 Time to live exceeded in transit,Fragment reassembly time exceeded",
  ICMP12: "0 Pointer indicates the error,Required option missing,Bad length",
  ICMPV6:
    "1 Destination Unreachable,Packet Too Big,Time Exceeded,Parameter Problem,128 Echo (ping) request,Echo (ping) reply,Multicast Listener Query,Multicast Listener Report,Multicast Listener Done,Router Solicitation,Router Advertisement,Neighbor Solicitation,Neighbor Advertisement,Redirect,Router Renumbering,Node Information Query,Node Information Reply,Inverse Neighbor Discovery Solicitation,Inverse Neighbor Discovery Advertisement,Multicast Listener Report Message v2,Home Agent Address Discovery Request,Home Agent Address Discovery Reply,Mobile Prefix Solicitation,Mobile Prefix Advertisement,Certification Path Solicitation,Certification Path Advertisement,151 Multicast Router Advertisement,Multicast Router Solicitation,Multicast Router Termination,FMIPv6 Messages,RPL Control,157 Duplicate Address Request,Duplicate Address Confirmation",
  ICMPV61:
    "0 no route to destination,Administratively prohibited,Beyond scope of source address,Address unreachable,Port unreachable,Source address failed ingress/egress policy,Reject route to destination",
  ICMPV63: "0 hop limit exceeded in transit,fragment reassembly time exceeded",
  ICMPV64:
    "0 erroneous header field encountered,unrecognized Next Header type encountered,unrecognized IPv6 option encountered",
  ND: "1 Source link-layer address,Target link-layer address,Prefix information,Redirected header,MTU,14 Nonce,24 Route information,Recursive DNS server,31 DNS search list",
  MLDR: "1 Include,Exclude,Changed to include,Changed to exclude,Allow new sources,Block old sources",
  IGMP: "17 Membership Query,Membership Report,DVMRP,PIMv1,22 Membership Report,Leave Group,34 Membership Report",
  ROUTE: "0 Source Route,2 Type 2,RPL,Segment Routing",
  IPOPT:
    "0 End of options,No operation,7 Record route,68 Timestamp,130 Security,Loose source route,137 Strict source route,148 Router alert",
  IP6OPT: "0 Pad1,PadN,5 Router alert,62 Experiment,194 Jumbo payload,201 Home address",
  TCPOPT:
    "0 End of options,No operation,Maximum segment size,Window scale,SACK permitted,SACK,8 Timestamps,19 MD5 signature,28 User timeout,TCP-AO,Multipath TCP,34 Fast open,253 Experiment,Experiment",
  DNS: "1 A,NS,5 CNAME,SOA,12 PTR,HINFO,15 MX,TXT,28 AAAA,29 LOC,33 SRV,35 NAPTR,39 DNAME,41 OPT,43 DS,SSHFP,46 RRSIG,NSEC,DNSKEY,DHCID,NSEC3,NSEC3PARAM,TLSA,64 SVCB,HTTPS,99 SPF,249 TKEY,TSIG,251 IXFR,AXFR,255 ANY,URI,CAA",
  RCODE:
    "0 No error,Format error,Server failure,No such name,Not implemented,Refused,Name exists,RRset exists,RRset does not exist,Not authoritative,Name out of zone,DSO-Type not implemented,16 Bad OPT version,Bad key,Bad time,Bad mode",
  DNSOP:
    "0 Standard query,Inverse query,Server status request,4 Zone change notification,Dynamic update,DNS Stateful operations (DSO)",
  NBOP: "0 Name query,5 Registration,Release,Wait for acknowledgment,Refresh,Refresh (altcode 9),15 Multi-homed registration",
  NBRCODE:
    "0 No error,Request was invalidly formatted,Problem with NAME server,Requested name does not exist,5 Refused,Name is owned by another node,Name is in conflict",
  NB: "32 NB,NBSTAT",
  DHCP: "1 Discover,Offer,Request,Decline,ACK,NAK,Release,Inform",
  DHCPOPT:
    "1 Subnet mask,3 Router,6 Domain name server,12 Host name,15 Domain name,50 Requested IP address,IP address lease time,53 DHCP message type,Server identifier,Parameter request list,57 Maximum message size,Renewal time,Rebinding time,Vendor class,Client identifier,81 Client FQDN,119 Domain search,121 Classless static route,249 Private/Classless static route (Microsoft)",
  DHCPV6:
    "1 Solicit,Advertise,Request,Confirm,Renew,Rebind,Reply,Release,Decline,Reconfigure,Information-request,Relay-forw,Relay-reply",
  DHCPV6OPT:
    "1 Client Identifier,Server Identifier,Identity Association for Non-temporary Address,Identity Association for Temporary Address,IA Address,Option Request,Preference,Elapsed time,Relay Message,11 Authentication,Server unicast,Status code,Rapid Commit,User Class,Vendor Class,Vendor-specific Information,23 DNS recursive name server,Domain Search List,Identity Association for Prefix Delegation,IA Prefix,39 Fully Qualified Domain Name",
  DUID: "1 Link-layer address plus time,Assigned by vendor,Link-layer address,Universally unique",
  LEAP: "0 no warning,last minute has 61 seconds,last minute has 59 seconds,clock not synchronized",
  NTPMODE: "0 reserved,symmetric active,symmetric passive,client,server,broadcast,control,private",
  RECORD: "20 Change Cipher Spec,Alert,Handshake,Application Data,Heartbeat",
  HANDSHAKE:
    "0 Hello Request,Client Hello,Server Hello,Hello Verify Request,New Session Ticket,End of Early Data,8 Encrypted Extensions,11 Certificate,Server Key Exchange,Certificate Request,Server Hello Done,Certificate Verify,Client Key Exchange,20 Finished,Certificate URL,Certificate Status,Supplemental Data,Key Update,Compressed Certificate",
  TLS: "768 SSL 3.0,TLS 1.0,TLS 1.1,TLS 1.2,TLS 1.3,65277 DTLS 1.2,65279 DTLS 1.0",
  LEVEL: "1 Warning,Fatal",
  ALERT:
    "0 Close Notify,10 Unexpected Message,20 Bad Record MAC,Decryption Failed,Record Overflow,30 Decompression Failure,40 Handshake Failure,No Certificate,Bad Certificate,Unsupported Certificate,Certificate Revoked,Certificate Expired,Certificate Unknown,Illegal Parameter,Unknown CA,Access Denied,Decode Error,Decrypt Error,60 Export Restriction,70 Protocol Version,Insufficient Security,80 Internal Error,86 Inappropriate Fallback,90 User Canceled,100 No Renegotiation,109 Missing Extension,Unsupported Extension,Certificate Unobtainable,Unrecognized Name,Bad Certificate Status Response,Bad Certificate Hash Value,Unknown PSK Identity,Certificate Required,120 No Application Protocol",
  EXTENSION:
    "0 server_name,5 status_request,10 supported_groups,ec_point_formats,13 signature_algorithms,16 application_layer_protocol_negotiation,18 signed_certificate_timestamp,21 padding,encrypt_then_mac,extended_master_secret,27 compress_certificate,35 session_ticket,41 pre_shared_key,early_data,supported_versions,cookie,psk_key_exchange_modes,49 post_handshake_auth,signature_algorithms_cert,key_share,57 quic_transport_parameters,65281 renegotiation_info",
  QUIC: "0 Initial,0-RTT,Handshake,Retry",
  CHUNK:
    "0 DATA,INIT,INIT_ACK,SACK,HEARTBEAT,HEARTBEAT_ACK,ABORT,SHUTDOWN,SHUTDOWN_ACK,ERROR,COOKIE_ECHO,COOKIE_ACK,ECNE,CWR,SHUTDOWN_COMPLETE,AUTH,64 I_DATA,128 ASCONF_ACK,130 RE_CONFIG,132 PAD,192 FORWARD_TSN,ASCONF",
  WG: "1 Handshake Initiation,Handshake Response,Cookie Reply,Transport Data",
  STUNCLASS: "0 Request,Indication,16 Success Response,Error Response",
  STUN: "1 Binding,3 Allocate,Refresh,6 Send,Data,CreatePermission,ChannelBind",
  STUNATT:
    "1 MAPPED-ADDRESS,6 USERNAME,8 MESSAGE-INTEGRITY,ERROR-CODE,UNKNOWN-ATTRIBUTES,12 CHANNEL-NUMBER,LIFETIME,18 XOR-PEER-ADDRESS,DATA,REALM,NONCE,XOR-RELAYED-ADDRESS,24 EVEN-PORT,REQUESTED-TRANSPORT,DONT-FRAGMENT,32 XOR-MAPPED-ADDRESS,34 RESERVATION-TOKEN,36 PRIORITY,USE-CANDIDATE,32802 SOFTWARE,ALTERNATE-SERVER,32808 FINGERPRINT,ICE-CONTROLLED,ICE-CONTROLLING",
  IKE: "2 Identity Protection (Main Mode),Authentication Only,Aggressive,Informational,32 Quick Mode,New Group Mode,IKE_SA_INIT,IKE_AUTH,CREATE_CHILD_SA,INFORMATIONAL",
  OSPF: "1 Hello Packet,DB Description,LS Request,LS Update,LS Acknowledge",
  PIM: "0 Hello,Register,Register-stop,Join/Prune,Bootstrap,Assert,Graft,Graft-Ack,Candidate-RP-Advertisement",
  VRRP: "1 Announcement",
  SNMPV: "0 v1,v2c,2 v2u,v3",
  SNMP: "0 get-request,get-next-request,get-response,set-request,trap,getBulkRequest,informRequest,snmpV2-trap,report",
  SMB2: "0 Negotiate Protocol,Session Setup,Session Logoff,Tree Connect,Tree Disconnect,Create,Close,Flush,Read,Write,Lock,Ioctl,Cancel,KeepAlive,Find,Notify,GetInfo,SetInfo,Break",
  BOOTP: "1 Boot Request,Boot Reply",
  PAYLOAD:
    "0 None,Security Association,Proposal,Transform,Key Exchange,Identification,Certificate,Certificate Request,Hash,Signature,Nonce,Notification,Delete,Vendor ID,33 Security Association,Key Exchange,Initiator's Identification,Responder's Identification,Certificate,Certificate Request,Authentication,Nonce,Notify,Delete,Vendor ID,Initiator's Traffic Selector,Responder's Traffic Selector,Encrypted and Authenticated,Configuration,Extensible Authentication,53 Encrypted Fragment",
  CIPHER:
    "156 TLS_RSA_WITH_AES_128_GCM_SHA256,TLS_RSA_WITH_AES_256_GCM_SHA384,4865 TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384,TLS_CHACHA20_POLY1305_SHA256,49195 TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,49199 TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,52392 TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  GROUP: "23 secp256r1,secp384r1,secp521r1,29 x25519,x448,256 ffdhe2048,4588 X25519MLKEM768",
  ETHER: "2048 IP,2054 ARP,25944 Transparent Ethernet bridging,34525 IPv6,34827 PPP",
};

const parsed = new Map<string, Map<number, string>>();

/** Return the name that a table has for a number. */
export function nameOf(table: string, value: number): string | undefined {
  let names = parsed.get(table);
  if (names === undefined) {
    names = new Map();
    let number = -1;
    for (const entry of TABLES[table]?.split(",") ?? []) {
      const [, written, name = ""] = /^(?:(\d+) )?(.*)$/.exec(entry) ?? [];
      number = written === undefined ? number + 1 : Number(written);
      names.set(number, name);
    }
    parsed.set(table, names);
  }
  return names.get(value);
}

/** Say whether a number of any table has this name, whatever the case. */
export function isName(text: string): boolean {
  const wanted = text.toLowerCase();
  return Object.values(TABLES).some((names) =>
    names.split(",").some((entry) => entry.replace(/^\d+ /, "").toLowerCase() === wanted),
  );
}

export function protocolName(protocol: number): string {
  return nameOf("IP", protocol) ?? "Unknown";
}

/** Ports whose names a person would say; the filter and the ports of a layer show them. */
export const PORT_NAMES: Readonly<Record<number, string>> = {
  22: "ssh",
  53: "domain",
  67: "bootps",
  68: "bootpc",
  80: "http",
  123: "ntp",
  137: "netbios-ns",
  161: "snmp",
  162: "snmptrap",
  443: "https",
  445: "microsoft-ds",
  500: "isakmp",
  546: "dhcpv6-client",
  547: "dhcpv6-server",
  853: "domain-s",
  1900: "ssdp",
  3389: "ms-wbt-server",
  3478: "stun",
  4500: "ipsec-nat-t",
  5353: "mdns",
  5355: "llmnr",
  8080: "http-alt",
  51820: "wireguard",
};
