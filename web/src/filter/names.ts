/**
 * Every field that the decoder and the analysis show, by its name: a line for each, below that of
 * its protocol. Behind the name stands what the field is (`KINDS` in fields.ts), then a label.
 *
 * test/filter/names.test.ts says which lines are missing, and which nobody needs.
 */
export const NAMES = `
ah p Authentication Header
.icv o Check value
.length 1 Length
.next_header 1= Next header
.reserved o Reserved
.sequence 4 Sequence
.spi 4 SPI
data -
.len i Length
dccp p DCCP
.dstport 2 Destination port
.srcport 2 Source port
dhcp p Dynamic Host Configuration Protocol
.cookie a Magic cookie
.flags 2 Flags
.flags.bc b Broadcast
.hops 1 Hops
.hw.addr_padding o Padding
.hw.len 1 Hardware address length
.hw.mac_addr o Hardware address
.hw.type 1 Hardware type
.id 4 Transaction
.ip.client a Client address
.ip.relay a Relay
.ip.server a Next server
.ip.your a Your address
.option.dhcp 1= Message
.option.dhcp_server_id a Server
.option.domain_name s Domain name
.option.domain_name_server a Name server
.option.end 1 End
.option.hostname s Host name
.option.ip_address_lease_time 4 Lease
.option.length 1 Length
.option.rebinding_time_value 4 Rebinding time
.option.renewal_time_value 4 Renewal time
.option.request_list_item 1= Asked for
.option.requested_ip_address a Address
.option.router a Router
.option.subnet_mask a Subnet mask
.option.type 1= DHCP message type
.option.vendor_class_id s Vendor
.secs 2 Seconds
.type 1= Operation
dhcpv6 p DHCPv6
.client_domain s Name
.client_fqdn_flags 1 Flags
.dns_server A Name server
.duid.bytes o Identifier
.duid.type 2= Kind
.duidll.hwtype 2 Hardware
.duidll.link_layer_addr s Link-layer address
.duidllt.hwtype 2 Hardware
.duidllt.link_layer_addr s Link-layer address
.elapsed_time 2 Elapsed time
.hopcount 1 Hops
.iaaddr.ip A Address
.iaaddr.pref_lifetime 4 Preferred lifetime
.iaaddr.valid_lifetime 4 Valid lifetime
.iaid s Identity
.iaid.t1 4 T1
.iaid.t2 4 T2
.iaprefix.pref_addr A Prefix
.iaprefix.pref_len 1 Prefix length
.iaprefix.pref_lifetime 4 Preferred lifetime
.iaprefix.valid_lifetime 4 Valid lifetime
.iata o Identity
.linkaddr A Link address
.msgtype 1= Message
.option.length 2 Length
.option.type 2= Option
.option_preference 1 Preference
.peeraddr A Peer address
.requested_option_code 2= Requested
.search_list_entry s Name
.status_code 2 Status
.status_msg s Message
.xid 3 Transaction
dns p Domain Name System
.a a Address
.aaaa A Address
.caa.flags 1 Flags
.caa.flags.issuer_critical b Critical
.caa.tag s Tag
.caa.tag_length 1 Tag length
.caa.value s Value
.cname s Canonical name
.count.add_rr 2 Additional
.count.answers 2 Answers
.count.auth_rr 2 Authorities
.count.labels 2 Labels
.count.prerequisites 2 Answers
.count.queries 2 Questions
.count.updates 2 Authorities
.count.zones 2 Questions
.dname s Name of the zone
.ds.algorithm 1 Algorithm
.ds.digest o Digest
.ds.digest_type 1 Digest type
.ds.key_id 2 Key
.flags 2 Flags
.flags.authenticated b Authenticated
.flags.authoritative b Authoritative
.flags.checkdisable b Checking disabled
.flags.conflict b Conflict
.flags.opcode 2= Operation
.flags.rcode 2= Reply code
.flags.recavail b Recursion available
.flags.recdesired b Recursion desired
.flags.response b Response
.flags.tentative b Tentative
.flags.truncated b Truncated
.flags.z b Reserved
.hinfo.cpu s CPU
.hinfo.os s System
.id 2 Transaction
.length 2 Length
.mx.mail_exchange s Mail exchange
.mx.preference 2 Preference
.naptr.flags s Flags
.naptr.order 2 Order
.naptr.preference 2 Preference
.naptr.regex s Expression
.naptr.replacement s Replacement
.naptr.service s Service
.ns s Name server
.ptr.domain_name s Domain name
.qry.class 2= Class
.qry.name s Name
.qry.name.len 2 Name length
.qry.qu b Unicast answer
.qry.type 2= Type
.resp.cache_flush b Cache flush
.resp.class 2= Class
.resp.edns0_version 1 EDNS version
.resp.ext_rcode 1 Reply code, upper bits
.resp.len 2 Data length
.resp.name s Name
.resp.ttl 4 Time to live
.resp.type 2= Type
.resp.z 2 Flags
.resp.z.do b DNSSEC answers accepted
.response_in 4* Packet with the answer
.response_to 4* Packet with the question
.retransmission b* Sent again
.retransmit_request_in 4* Packet that asked first
.retransmit_response_in 4* Packet that answered first
.rr.udp_payload_size 2 UDP payload size
.soa.expire_limit 4 Expire
.soa.minimum_ttl 4 Minimum time to live
.soa.mname s Primary name server
.soa.refresh_interval 4 Refresh
.soa.retry_interval 4 Retry
.soa.rname s Mailbox
.soa.serial_number 4 Serial number
.spf s Text
.srv.port 2 Port
.srv.priority 2 Priority
.srv.target s Target
.srv.weight 2 Weight
.sshfp.algorithm 1 Algorithm
.sshfp.fingerprint o Fingerprint
.sshfp.fingerprint.type 1 Fingerprint type
.svcb.svcpriority 2 Priority
.svcb.targetname s Target
.time f* Seconds to this answer
.tlsa.certificate_association_data o Data
.tlsa.certificate_usage 1 Usage
.tlsa.matching_type 1 Matching type
.tlsa.selector 1 Selector
.txt s Text
dtls p Datagram Transport Layer Security
.handshake.length 3 Length
.handshake.type 1 Handshake
.record n Record
.record.content_type 1= Type
.record.epoch 2 Epoch
.record.length 2 Length
.record.sequence_number 8 Sequence number
.record.version 2= Version
dvmrp p Distance Vector Multicast Routing Protocol
esp p Encapsulating Security Payload
.sequence 4 Sequence
.spi 4 SPI
gre p Generic Routing Encapsulation
.checksum 2 Checksum
.checksum.status 1= Status
.flags.checksum b Checksum
.flags.key b Key
.flags.recursion_control 2 Recursion control
.flags.routing b Routing
.flags.sequence_number b Sequence number
.flags.strict_source_route b Strict source route
.flags.version 2 Version
.flags_and_version 2 Flags
.key 4 Key
.offset 2 Offset
.proto 2= Protocol
.sequence_number 4 Sequence number
hip p Host Identity Protocol
.nxt 1= Next header
http p Hypertext Transfer Protocol
.accept s Accept
.accept_encoding s Accept-encoding
.accept_language s Accept-language
.authorization s Authorization
.cache_control s Cache-control
.connection s Connection
.content_encoding s Content-encoding
.content_length 8 Bytes
.content_length_header s Content-Length
.content_type s Content-Type
.cookie s Cookie
.date s Date
.host s Host
.last_modified s Last-modified
.location s Location
.origin s Origin
.proxy_authenticate s Proxy-authenticate
.proxy_authorization s Proxy-authorization
.referer s Referer
.request b Request
.request.full_uri s Address
.request.line s A line of the head of a request
.request.method s Method
.request.uri s Target
.request.uri.path s Path
.request.uri.query s Query
.request.version s Version
.request_in 4* Packet with the request
.response b Response
.response.code 2 Status
.response.line s A line of the head of a response
.response.phrase s Reason
.response.version s Version
.response_in 4* Packet with the response
.sec_websocket_accept s Sec-websocket-accept
.sec_websocket_extensions s Sec-websocket-extensions
.sec_websocket_key s Sec-websocket-key
.sec_websocket_protocol s Sec-websocket-protocol
.sec_websocket_version s Sec-websocket-version
.server s Server
.set_cookie s Set-cookie
.time f* Seconds to this response
.transfer_encoding s Transfer-encoding
.upgrade s Upgrade
.user_agent s User-Agent
.www_authenticate s Www-authenticate
.x_forwarded_for s X-forwarded-for
http2 p HyperText Transfer Protocol 2
.magic s Magic
icmp p Internet Control Message Protocol
.addr a Router
.addr_entry_size 1 Words each
.address_mask a Address mask
.checksum 2 Checksum
.checksum.status 1= Status
.code 1= Code
.ident 2 Identifier
.lifetime 2 Lifetime
.mtu 2 MTU of next hop
.num_addrs 1 Addresses
.originate_timestamp 4 Originated
.pointer 4 Pointer
.receive_timestamp 4 Received
.redir_gw a Gateway
.resp_in 4* Packet with the reply
.resp_to 4* Packet with the request
.resptime f* Milliseconds to this reply
.seq 2 Sequence number
.transmit_timestamp 4 Sent
.type 1= Type
icmpv6 p Internet Control Message Protocol v6
.checksum 2 Checksum
.checksum.status 1= Status
.code 1= Code
.echo.identifier 2 Identifier
.echo.sequence_number 2 Sequence number
.mld.flag 1 Flags
.mld.flag.qrv 1 Robustness
.mld.flag.s b Suppress router side
.mld.maximum_response_delay 2 Longest wait
.mld.multicast_address A Group
.mld.nb_sources 2 Sources
.mld.qqi 1 Query interval
.mld.source_address A Source
.mldr.mar n Record
.mldr.mar.aux_data_len 1 Auxiliary data
.mldr.mar.multicast_address A Group
.mldr.mar.nb_sources 2 Sources
.mldr.mar.record_type 1= Kind
.mldr.nb_mcast_records 2 Records
.mtu 4 MTU
.nd.na.flag 4 Flags
.nd.na.flag.o b Override
.nd.na.flag.r b Router
.nd.na.flag.s b Solicited
.nd.na.target_address A Target
.nd.ns.target_address A Target
.nd.ra.cur_hop_limit 1 Hop limit for hosts
.nd.ra.flag 1 Flags
.nd.ra.flag.h b Home agent
.nd.ra.flag.m b Managed addresses
.nd.ra.flag.o b Other configuration
.nd.ra.flag.prf 1 Preference
.nd.ra.reachable_time 4 Reachable time
.nd.ra.retrans_timer 4 Retransmission timer
.nd.ra.router_lifetime 2 Router lifetime
.opt.length 1 Length
.opt.linkaddr o Link-layer address
.opt.mtu 4 MTU
.opt.nonce o Nonce
.opt.prefix A Prefix
.opt.prefix.flag 1 Flags
.opt.prefix.flag.a b For addresses
.opt.prefix.flag.l b On link
.opt.prefix.length 1 Prefix length
.opt.prefix.preferred_lifetime 4 Preferred lifetime
.opt.prefix.valid_lifetime 4 Valid lifetime
.opt.type 1 Option
.pointer 4 Pointer
.rd.na.destination_address A Destination
.rd.na.target_address A Target
.resp_in 4* Packet with the reply
.resp_to 4* Packet with the request
.resptime f* Milliseconds to this reply
.type 1= Type
igmp p Internet Group Management Protocol
.aux_data_len 1 Auxiliary data
.checksum 2 Checksum
.checksum.status 1= Status
.maddr a Group
.max_resp 1 Longest wait
.num_grp_recs 2 Records
.num_src 2 Sources
.qqic 1 Query interval
.qrv 1 Robustness
.record_type 1= Kind
.reserved o Reserved
.s b Suppress router side
.saddr a Source
.type 1= Type
.version 1 Version
ip p Internet Protocol Version 4
.checksum 2 Checksum
.checksum.status 1= Status
.cur_rt a Next router
.dsfield 1 Differentiated services
.dsfield.dscp 1 DSCP
.dsfield.ecn 1 ECN
.dst a Destination
.empty_rt a Router
.flags 1 Flags
.flags.df b Don't fragment
.flags.mf b More fragments
.flags.rb b Reserved
.frag_offset 2 Fragment offset
.hdr_len 1 Header length
.id 2 Identification
.len 2 Total length
.opt.len 1 Length
.opt.ptr 1 Pointer
.opt.ra 2 Router alert
.opt.type 1 No operation
.proto 1= Protocol
.rec_rt a Passed
.src a Source
.src_rt a Router
.ttl 1 Time to live
.version 1 Version
ipv6 p Internet Protocol Version 6
.dst A Destination
.dstopts p IPv6 Destination Options
.dstopts.len 1 Length
.dstopts.nxt 1= Next header
.flow 3 Flow label
.fraghdr p IPv6 Fragment Header
.fraghdr.ident 4 Identification
.fraghdr.more b More fragments
.fraghdr.nxt 1= Next header
.fraghdr.offset 2 Offset
.hlim 1 Hop limit
.hopopts p IPv6 Hop-by-Hop Options
.hopopts.len 1 Length
.hopopts.nxt 1= Next header
.nxt 1= Next header
.opt.jumbo 4 Payload length
.opt.length 1 Length
.opt.router_alert 2 Router alert
.opt.type 1 Router alert
.plen 2 Payload length
.routing p IPv6 Routing Header
.routing.len 1 Length
.routing.mipv6.home_address A Address
.routing.mipv6.reserved o Reserved
.routing.nxt 1= Next header
.routing.segleft 1 Segments left
.routing.src.addr A Address
.routing.src.reserved o Reserved
.routing.srh.addr A Address
.routing.srh.flags 1 Flags
.routing.srh.last_entry 1 Last entry
.routing.srh.tag o Tag
.routing.type 1= Type
.src A Source
.tclass 4 Traffic class
.tclass.dscp 4 DSCP
.tclass.ecn 4 ECN
.version 1 Version
isakmp p Internet Security Association and Key Management Protocol
.exchangetype 1= Exchange
.flag_a b Authentication only
.flag_c b Commit
.flag_e b Encrypted
.flag_i b Initiator
.flag_r b Response
.flag_v b Version
.flags 1 Flags
.ispi o Initiator's SPI
.length 4 Length
.messageid 4 Message
.mjver 1 Major version
.mnver 1 Minor version
.nextpayload 1= Next payload
.payloadlength 2 Length
.rspi o Responder's SPI
.typepayload 1 Payload
.version 1 Version
llmnr p Link-local Multicast Name Resolution
mdns p Multicast Domain Name System
mipv6 p IPv6 Mobility Header
.home_address A Home address
.nxt 1= Next header
nbns p NetBIOS Name Service
.addr a Address
.class 2 Class
.count.add_rr 2 Additional
.count.answers 2 Answers
.count.auth_rr 2 Authorities
.count.queries 2 Questions
.data_length 2 Data length
.flags 2 Flags
.flags.authoritative b Authoritative
.flags.broadcast b Broadcast
.flags.opcode 2= Operation
.flags.rcode 2= Reply code
.flags.recavail b Recursion available
.flags.recdesired b Recursion desired
.flags.response b Response
.flags.truncated b Truncated
.id 2 Transaction
.name s Name
.nb_flags 2 Flags
.nb_flags.group b Group
.nb_flags.ont 2 Kind of node
.ttl 4 Time to live
.type 2= Type
ntp p Network Time Protocol
.delta_time f* Seconds to this answer
.flags 1 Flags
.flags.li 1= Leap indicator
.flags.mode 1= Mode
.flags.vn 1 Version
.org d Request was sent
.ppoll 1 Polling interval
.rec d Request was received
.refid o Reference
.reftime d Clock was set
.request_in 4* Packet with the question
.response_in 4* Packet with the answer
.stratum 1 Stratum
.xmt d This was sent
ospf p Open Shortest Path First
.area_id a Area
.msg 1= Message
.packet_length 2 Length
.srcrouter a Source router
.version 1 Version
pim p Protocol Independent Multicast
.type 1= Type
.version 1 Version
quic p QUIC
.dcid o Destination connection ID
.dcil 1 Destination connection ID length
.fixed_bit b Fixed bit
.header_form b Long header
.length 8 Length
.long.packet_type 1= Kind
.long.packet_type_v2 1= Kind
.retry_integrity_tag o Integrity tag
.retry_token o Token
.scid o Source connection ID
.scil 1 Source connection ID length
.spin_bit b Spin bit
.supported_version 4 Supported version
.token o Token
.token_length 8 Token length
.version 4 Version
sctp p Stream Control Transmission Protocol
.checksum 4 Checksum
.chunk_flags 1 Flags
.chunk_length 2 Length
.chunk_type 1= Kind
.data_b_bit b First part
.data_e_bit b Last part
.data_i_bit b Immediately
.data_payload_proto_id 4 Protocol
.data_sid 2 Stream
.data_ssn 2 Sequence in stream
.data_tsn_raw 4 TSN
.data_u_bit b Unordered
.dstport 2 Destination port
.init_credit 4 Window
.init_initial_tsn 4 Initial TSN
.init_initiate_tag 4 Initiate tag
.init_nr_in_streams 2 Inbound streams
.init_nr_out_streams 2 Outbound streams
.initack_initiate_tag 4 Initiate tag
.sack_a_rwnd 4 Window
.sack_cumulative_tsn_ack_raw 4 Cumulative TSN
.sack_number_of_duplicated_tsns 2 Duplicate TSNs
.sack_number_of_gap_blocks 2 Gap blocks
.shutdown_cumulative_tsn_ack 4 Cumulative TSN
.srcport 2 Source port
.verification_tag 4 Verification tag
shim6 p Shim6 Header
.nxt 1= Next header
smb2 p Server Message Block Protocol version 2
.cmd 2= Command
.flags 4 Flags
.header_len 2 Header length
.msg_id 8 Message
.nt_status 4 Status
snmp p Simple Network Management Protocol
.community s Community
.data 4 Kind
.version i Version
ssdp p Simple Service Discovery Protocol
ssh p SSH Protocol
.protocol s Protocol
stun p Session Traversal Utilities for NAT
.att.family 1 Family
.att.ipv4 a Address
.att.ipv6 A Address
.att.length 2 Length
.att.lifetime 4 Lifetime
.att.nonce s Nonce
.att.port 2 Port
.att.priority 4 Priority
.att.realm s Realm
.att.software s Software
.att.type 2= Type
.att.username s User name
.cookie o Cookie
.id o Transaction
.length 2 Length
.type 2 Type
.type.class 2= Class
.type.method 2= Method
tcp p Transmission Control Protocol
.ack 4* Acknowledgement number, relative
.ack_raw 4 Acknowledgement number
.analysis n* Anything that the analysis found
.analysis.ack_lost_segment n* Acknowledges a missing segment
.analysis.ack_rtt f* Seconds to this acknowledgement
.analysis.acks_frame 4* Packet that this acknowledges
.analysis.bytes_in_flight 4* Bytes in flight
.analysis.duplicate_ack n* Duplicate acknowledgement
.analysis.duplicate_ack_frame 4* Packet that this repeats
.analysis.duplicate_ack_num 4* Which duplicate
.analysis.fast_retransmission n* Fast retransmission
.analysis.flags n* Anything that looks like trouble
.analysis.initial_rtt f* Round trip of the handshake in seconds
.analysis.keep_alive n* Keep-alive
.analysis.keep_alive_ack n* Answer to a keep-alive
.analysis.lost_segment n* The segment before is missing
.analysis.out_of_order n* Out of order
.analysis.push_bytes_sent 4* Bytes since the last PSH
.analysis.retransmission n* Retransmission
.analysis.reused_ports n* Ports used again
.analysis.rto f* Seconds before it was sent again
.analysis.rto_frame 4* Packet that the wait began with
.analysis.spurious_retransmission n* Spurious retransmission
.analysis.window_full n* Window is full
.analysis.window_update n* Window update
.analysis.zero_window n* Zero window
.analysis.zero_window_probe n* Probe of a zero window
.analysis.zero_window_probe_ack n* Answer to a probe
.checksum 2 Checksum
.checksum.status 1= Status
.completeness 1* Parts of the connection that were seen
.dstport 2 Destination port
.flags 2 Flags
.flags.ack b ACK
.flags.ae b AE
.flags.cwr b CWR
.flags.ece b ECE
.flags.fin b FIN
.flags.push b PSH
.flags.res 1 Reserved
.flags.reset b RST
.flags.syn b SYN
.flags.urg b URG
.hdr_len 1 Header length
.len 4 Segment length
.nxtseq 4* Next sequence number, relative
.option_kind 1 Kind
.option_len 1 Length
.options o Options
.options.mss o Maximum segment size
.options.mss_val 2 Maximum segment size
.options.sack o SACK
.options.sack_le 4 Left edge
.options.sack_perm o SACK permitted
.options.sack_re 4 Right edge
.options.timestamp o Timestamps
.options.timestamp.tsecr 4 Timestamp echo
.options.timestamp.tsval 4 Timestamp
.options.user_to o User timeout
.options.wscale o Window scale
.options.wscale.multiplier 2 Multiplier
.options.wscale.shift 1 Shift
.seq 4* Sequence number, relative
.seq_raw 4 Sequence number
.srcport 2 Source port
.stream 4* Number of the connection
.time_delta f* Seconds since the previous packet of the connection
.time_relative f* Seconds since the connection began
.urgent_pointer 2 Urgent pointer
.window_size 4* Window, scaled
.window_size_scalefactor i* Window scale factor; -1 not known, -2 not used
.window_size_value 2 Window
tls p Transport Layer Security
.alert_message.desc 1= Description
.alert_message.level 1= Level
.handshake n Handshake
.handshake.cipher_suites_length 2 Cipher suites
.handshake.ciphersuite 2= Cipher suite
.handshake.ciphersuites n Cipher suites
.handshake.comp_method 1 Compression method
.handshake.comp_methods_length 1 Compression methods
.handshake.extension.len 2 Length
.handshake.extension.type 2= Type
.handshake.extensions.supported_version 2= Version
.handshake.extensions_alpn_str s Protocol
.handshake.extensions_length 2 Extensions
.handshake.extensions_server_name s Server name
.handshake.extensions_supported_group 2= Group
.handshake.length 3 Length
.handshake.random o Random
.handshake.session_id o Session ID
.handshake.session_id_length 2 Session ID length
.handshake.sig_hash_alg 2 Algorithm
.handshake.type 1= Type
.handshake.version 2= Version
.record n Record
.record.content_type 1= Type
.record.length 2 Length
.record.version 2= Version
udp p User Datagram Protocol
.checksum 2 Checksum
.checksum.status 1= Status
.checksum_coverage 2 Bytes covered
.dstport 2 Destination port
.length 2 Length
.srcport 2 Source port
.stream 4* Number of the conversation
.time_delta f* Seconds since its previous packet
.time_relative f* Seconds since the conversation began
udpencap p UDP Encapsulation of IPsec Packets
udplite p Lightweight User Datagram Protocol
vrrp p Virtual Router Redundancy Protocol
.prio 1 Priority
.type 1= Type
.version 1 Version
.virt_rtr_id 1 Virtual router
wg p WireGuard Protocol
.counter 8 Counter
.encrypted_cookie o Cookie
.mac1 o MAC 1
.mac2 o MAC 2
.nonce o Nonce
.receiver 4 Receiver
.reserved o Reserved
.sender 4 Sender
.type 1= Kind
`;
