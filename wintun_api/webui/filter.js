import{D as e,E as t,_ as n,b as r,n as i,v as a,w as o}from"./base.js";import{c as s,f as c,r as l,s as u}from"./decoder.js";var d=class extends Error{start;end;offer;name=`FilterError`;constructor(e,t,n,r){super(e),this.start=t,this.end=n,this.offer=r}},f=/\s+|(r?)["“”„«»]((?:[^"“”„«»\\]|\\[\s\S])*)["“”«»]|['‘’‚]((?:[^'‘’\\]|\\[\s\S])[^'‘’]*)['‘’]|\[([^\]]*)\]|#(\d+)|(===|!==|==|!=|~=|<=|>=|&&|\|\||\^\^|\.\.|[<>=!(){},&~+*%]|[-/](?=\s|$)|-(?=[a-z({]))|((?:[^\s<>=!(){},&|"'“”„«»‘’‚^~+*%[\]#.]|\.(?!\.))+)/iy,p=`A filter has no wildcards. Write a network as 10.6.7.0/24, a part of a name as contains "example".`,m=/\\(x[0-9a-f]{1,2}|[0-7]{1,3}|[\s\S])/gi,h={a:`\x07`,b:`\b`,f:`\f`,n:`
`,r:`\r`,t:`	`,v:`\v`};function g(e){let t=[];for(let n=0;n<e.length;){f.lastIndex=n;let r=f.exec(e);if(r===null)throw ee(e,n);let i=n+r[0].length,[,a,o,s,c,l,u,m]=r,h=(e,r)=>t.push({kind:e,text:r,start:n,end:i});if(o!==void 0)h(`string`,a?o:te(o));else if(s!==void 0)h(`char`,te(s));else if(c!==void 0)h(`slice`,c.trim());else if(l!==void 0)h(`layer`,l);else if(u===`*`&&(e[n-1]===`.`||e[i]===`.`))throw new d(p,n,i);else u===void 0?m!==void 0&&h(`word`,m):h(`sign`,u);n=i}return t}function ee(e,t){let n=e.charAt(t),r=n===`[`?`bracket`:/["'“”„«»‘’‚]/.test(n)?`quote`:void 0;return r===void 0?new d(`Unexpected "${n}".`,t,t+1):new d(`The closing ${r} is missing.`,t,e.length)}function te(e){return e.replace(m,(e,t)=>t.length>1&&(t[0]===`x`||t[0]===`X`)?String.fromCharCode(Number.parseInt(t.slice(1),16)):/^[0-7]+$/.test(t)?String.fromCharCode(Number.parseInt(t,8)&255):t===`\\`||t===`"`||t===`'`?t:h[t]??e)}var ne=-2208988800000000000n,re=/^\d{4}-\d{2}-\d{2}$/,ie=/^(.*?\d{1,2}:\d{2}:\d{2})(?:[.,](\d{1,9}))?\s*(Z|UTC|[+-]\d{2}:?\d{2})?$/i;function ae(e){if(e===`NULL`)return ne;let[,t=``,n=``,r=``]=ie.exec(e)??[],i=re.test(e)?`${e} 00:00:00`:t,a=i.replace(/^(\d{4}-\d{2}-\d{2})\s+/,`$1T`).replace(`,`,``),o=Date.parse(`${a}${/^UTC$/i.test(r)?`Z`:r}`);if(!(i===``||Number.isNaN(o)))return BigInt(o)*1000000n+BigInt(n.padEnd(9,`0`))}var _=class extends Error{at;constructor(e,t){super(e),this.at=t}},v=1500,oe=500,se=50,y=256,b=e=>e>=48&&e<58||e>=65&&e<91||e>=97&&e<123||e===95,x=e=>Uint8Array.from({length:256},(t,n)=>Number(e(n))),S=e=>e.map(e=>1-e),ce=x(e=>e>=48&&e<58),le=x(b),ue=x(e=>e===32||e>=9&&e<14),de={d:ce,w:le,s:ue,D:S(ce),W:S(le),S:S(ue)},fe={alpha:e=>b(e)&&e>=65&&e!==95,digit:e=>e>=48&&e<58,alnum:e=>b(e)&&e!==95,upper:e=>e>=65&&e<91,lower:e=>e>=97&&e<123,space:e=>e===32||e>=9&&e<14,punct:e=>e>32&&e<127&&(!b(e)||e===95),xdigit:e=>/[0-9a-f]/i.test(String.fromCharCode(e)),print:e=>e>=32&&e<127,cntrl:e=>e<32||e===127},pe={n:10,r:13,t:9,f:12,e:27,a:7,v:11},C=`Back references and look-around are not supported`,me=class{text;at=0;depth=0;flags={i:!0,s:!1,m:!1};constructor(e){this.text=e}read(){let e=this.alternatives();return this.at<this.text.length&&this.fail(`This bracket was never opened`),e}alternatives(){++this.depth>se&&this.fail(`The brackets are nested too deeply`);let e={...this.flags},t=[this.sequence()];for(;this.take(`|`);)t.push(this.sequence());return this.flags=e,this.depth--,{any:t}}sequence(){let e=[];for(;this.at<this.text.length&&!`|)`.includes(this.peek());)e.push(this.repeated());return{all:e}}repeated(){let e=this.atom();for(;;){let[t,n,r=``,i,a=``]=/^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(this.text.slice(this.at,this.at+16))??[];if(t===void 0)return e;this.at+=t.length;let[o,s]=[+(n===`+`),n===`?`?1:1/0];n===void 0&&(o=Number(r),s=a?Number(a):i?s:o,(o>v||s>v&&s<1/0)&&this.fail(`This repeats too often`)),!this.take(`?`)&&this.peek()===`+`&&this.fail(C),e={node:e,least:o,most:s}}}atom(){let e=this.text.charAt(this.at++),{s:t,m:n}=this.flags;switch(e){case`(`:return this.group();case`[`:return this.set();case`.`:return{set:x(e=>t||e!==10)};case`^`:return{assertion:e=>e===y||n&&e===10};case`$`:return n?{assertion:(e,t)=>t===y||t===10}:{all:[{node:this.one(10),least:0,most:1},w]};case`\\`:return this.escape();case`*`:case`+`:case`?`:return this.fail(`There is nothing before this to repeat`,-1);default:return this.one(e.charCodeAt(0))}}group(){let e=this.at,[t,n,r]=/^\?(?:([ism-]*)(:|\))|P?<[a-z_]\w*>)/i.exec(this.text.slice(this.at))??[``,void 0,void 0];t===``&&this.peek()===`?`&&this.fail(C),this.at+=t.length;let i={...this.flags},a=!0;for(let e of n??``)e===`-`?a=!1:this.flags={...this.flags,[e]:a};if(r===`)`)return{all:[]};let o=this.alternatives();return this.take(`)`)||(this.at=e,this.fail(`The closing bracket is missing`,-1)),this.flags=i,o}escape(){let e=this.text.charAt(this.at),t=de[e];if(t!==void 0)return this.at++,{set:t};let n=(e,t)=>b(e)!==b(t),r={b:{assertion:n},B:{assertion:(e,t)=>!n(e,t)},A:{assertion:e=>e===y},z:w,Z:{all:[{node:this.one(10),least:0,most:1},w]}}[e];return r===void 0?this.one(this.code()):(this.at++,r)}code(){let[e,t]=/^x\{?([0-9a-f]{1,2})\}?/i.exec(this.text.slice(this.at))??[];if(e!==void 0&&t!==void 0)return this.at+=e.length,Number.parseInt(t,16);let n=this.text.charAt(this.at++);return n===``&&this.fail(`A character should follow the backslash`),n===`0`?0:n in pe?pe[n]??0:(/[1-9gk]/.test(n)&&this.fail(C,-1),/[a-z]/i.test(n)&&this.fail(`\\${n} has no meaning here`,-1),n.charCodeAt(0))}set(){let e=this.at,t=new Uint8Array(256),n=this.take(`^`);for(let n=!0;n||this.peek()!==`]`;n=!1){this.at>=this.text.length&&(this.at=e,this.fail(`The closing bracket is missing`,-1));let[n,r=``]=/^\[:(\w+):\]/.exec(this.text.slice(this.at,this.at+12))??[],i=fe[r];if(n!==void 0&&i!==void 0){this.at+=n.length;for(let e=0;e<256;e++)t[e]=(t[e]??0)|Number(i(e));continue}let a=this.member(t);if(a<0||this.peek()!==`-`||this.text.charAt(this.at+1)===`]`)continue;this.at++;let o=this.member(t);o<a&&this.fail(`This range ends before it begins`),t.fill(1,a,o+1)}this.at++;let r=this.fold(t);return{set:n?S(r):r}}member(e){let t=this.text.charCodeAt(this.at++);if(t===92){let n=de[this.peek()];if(n!==void 0){this.at++;for(let[t,r]of n.entries())e[t]=(e[t]??0)|r;return-1}t=this.take(`b`)?8:this.code()}return e[t]=1,t}one(e){let t=new Uint8Array(256);return t[e]=1,{set:this.fold(t)}}fold(e){if(!this.flags.i)return e;for(let t=65;t<91;t++)(e[t]||e[t+32])&&(e[t]=e[t+32]=1);return e}peek(){return this.text.charAt(this.at)}take(e){return this.peek()===e&&(this.at++,!0)}fail(e,t=0){throw new _(e,this.at+t)}},w={assertion:(e,t)=>t===y};function T(e,t){let{list:n}=e;if(++e.steps>2*v||n.length>v)throw new _(`The pattern is too large`,0);if(`set`in t||`assertion`in t)n.push(t);else if(`all`in t)for(let n of t.all)T(e,n);else if(`any`in t){let r=[];t.any.forEach((i,a)=>{let o=a===t.any.length-1,s={to:n.length+1,or:0};if(o||n.push(s),T(e,i),o)return;let c={to:0,or:0};r.push(c),n.push(c),s.or=n.length});for(let e of r)e.to=e.or=n.length}else{for(let n=0;n<t.least;n++)T(e,t.node);let r=t.most===1/0,i=[];for(let a=t.least;a<(r?t.least+1:t.most);a++){let a={to:n.length+1,or:0};i.push(a),n.push(a),T(e,t.node),r&&n.push({to:i[0]?n.indexOf(i[0]):0,or:-1})}for(let e of i)e.or=n.length}}function he(e){let t=String.fromCharCode(...new TextEncoder().encode(e)),n=[];if(T({list:n,steps:0},new me(t).read()),n.push(null),n.length>v)throw new _(`The pattern is too large`,0);let r=new Map,i=(e,t)=>{let n=`${t} ${e}`,i=r.get(n);return i===void 0&&(r.size>=oe&&r.clear(),i={places:e,before:t,next:Array(257)},r.set(n,i)),i},a=new Uint8Array(n.length),o=(e,t)=>{a.fill(0);let r=[...e.places],o=[0];for(;r.length>0;){let i=r.pop()??0;if(i<0||a[i])continue;a[i]=1;let s=n[i];if(s==null)return!0;`set`in s?t!==y&&s.set[t]&&o.push(i+1):`to`in s?r.push(s.to,s.or):s.assertion(e.before,t)&&r.push(i+1)}if(t===y)return!1;let s=t===10?10:b(t)?97:32;return i([...new Set(o)].sort((e,t)=>e-t),s)};return e=>{let t=i([0],y);for(let n=0;n<=e.length;n++){let r=e[n]??y,i=t.next[r]??=o(t,r);if(i===!0)return!0;if(i===!1)return!1;t=i}return!1}}var ge=`
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
`,_e={b:`boolean`,s:`text`,a:`ipv4`,A:`ipv6`,o:`bytes`,i:`number`,f:`seconds`,t:`seconds`,d:`date`,p:`protocol`,n:`mark`},ve=`
frame p The whole packet
.number 4 Number in the table
.len 4 Length of the packet
.cap_len 4 Captured length
.time d Time of the packet
.time_epoch t Seconds since 1970
.time_relative t Seconds since the first packet
.time_delta t Seconds since the packet before
.protocols s Layers, as in raw:ip:tcp
_ws -
.malformed n Something is malformed
.col.protocol s The column Protocol
.col.info s The column Info
data p Bytes that no protocol claims
.len 4 Number of bytes
received b From the host to the application
injected b From the application to the host
cut b Cut by the snap length
fragment b Part of a fragmented packet
len 4 Length of the packet
proto 1 IP protocol number, also of IPv6
ttl 1 Time to live or hop limit
port 2 Source or destination port
host a Source or destination address
src a Source address, or src port
dst a Destination address, or dst port
tcp.flags.str s Flags as letters, ·······A··S·
`,ye=`
ip.addr ip.src ip.dst|Source or destination
ip.host ip.src ip.dst|Source or destination, as text
ip.src_host ip.src|Source, as text
ip.dst_host ip.dst|Destination, as text
ipv6.addr ipv6.src ipv6.dst|Source or destination
ipv6.host ipv6.src ipv6.dst|Source or destination, as text
tcp.port tcp.srcport tcp.dstport|Source or destination port
udp.port udp.srcport udp.dstport|Source or destination port
sctp.port sctp.srcport sctp.dstport|Source or destination port
dccp.port dccp.srcport dccp.dstport|Source or destination port
udplite.port udplite.srcport udplite.dstport|Source or destination port
ttl ip.ttl ipv6.hlim|
port tcp.srcport tcp.dstport udp.srcport udp.dstport sctp.srcport sctp.dstport dccp.srcport dccp.dstport udplite.srcport udplite.dstport|
src.port tcp.srcport udp.srcport sctp.srcport dccp.srcport udplite.srcport|
dst.port tcp.dstport udp.dstport sctp.dstport dccp.dstport udplite.dstport|
ip.version ip.version ipv6.version|Version of the header
data.data data|The bytes
tcp.payload tcp|Bytes behind the header
udp.payload udp|Bytes behind the header
`,E={ipv4:`ip`,icmp6:`icmpv6`,ssl:`tls`,bootp:`dhcp`,wireguard:`wg`,length:`len`,net:`host`,addr:`host`,"tcp.flags.rst":`tcp.flags.reset`,"tcp.flags.psh":`tcp.flags.push`,"tls.sni":`tls.handshake.extensions_server_name`,"tls.record.opaque_type":`tls.record.content_type`,"_ws.col.proto":`_ws.col.protocol`},D=new Map;function be(e,t,n,r=[e]){let i=_e[t.charAt(0)]??`number`,a=Number(t.charAt(0));D.set(e,{name:e,kind:i,about:n,most:t.startsWith(`i`)?2**31-1:2**(8*a)-1,named:t.includes(`=`),noted:t.includes(`*`),protocol:e.split(`.`)[0]??``,parts:r})}var xe=``;for(let e of`${ve}${ge}`.split(`
`)){let[t=``,n=``,...r]=e.split(` `);t!==``&&(t.startsWith(`.`)||(xe=t),n!==`-`&&be(t.startsWith(`.`)?xe+t:t,n,r.join(` `)))}for(let e of ye.trim().split(`
`)){let[t=``,n=``]=e.split(`|`),[r=``,...i]=t.split(` `),a=D.get(r),o={ipv4:`a`,ipv6:`A`,protocol:`o`}[D.get(i[0]??``)?.kind]??`2`;be(r,r.endsWith(`host`)&&r.includes(`.`)?`s`:/ttl|version/.test(r)?`1`:o,a?.about??n,i)}function O(e){let t=e.toLowerCase().replace(/^(?:ssl|bootp)(?=\.)/,e=>E[e]??e);return D.get(Object.hasOwn(E,t)?E[t]??t:t)}function Se(e,t=``){let n;if(e.length<4)return;let r=Math.min(4,Math.max(2,e.length/3));for(let i of D.keys()){if(!i.startsWith(t))continue;let a=e.length>3&&i.startsWith(e)?1:Ce(e,i);a<r&&([n,r]=[i,a])}return n}function Ce(e,t){if(Math.abs(e.length-t.length)>3)return 4;let n=Array.from({length:t.length+1},(e,t)=>t);for(let r=1;r<=e.length;r++){let i=n;n=[r];for(let a=1;a<=t.length;a++){let o=(i[a-1]??0)+(e[r-1]===t[a-1]?0:1);n.push(Math.min(o,(i[a]??0)+1,(n[a-1]??0)+1))}}return n[t.length]??0}var we=20,k=60,A=6,j=17,M={tcp:A,udp:j,icmp:1,icmpv6:58};function N(t){let{bytes:n,start:r,upper:i,stop:a}=t;if(i<0||t.ip!==r||t.fragment||(t.version===4?i!==r+20:i!==r+40))return!1;switch(t.protocol){case A:{let t=(e(n,i+12)>>4)*4;return t>=20&&i+t<=a}case j:return i+8<=a;case 1:return i+8<=a&&(e(n,i)|8)==8;case 58:return i+8<=a&&e(n,i)>=128&&e(n,i)<130}return!1}var Te={dns:[`dns`,`mdns`,`llmnr`],http:[`http`,`ssdp`]};function Ee({name:e,protocol:t}){let n=M[t];if(n!==void 0)return e=>e.protocol===n;if(t===`data`||t===`_ws`)return()=>!0;if(t===`ip`||t===`ipv6`){let e=t===`ip`?4:6;return t=>t.version===e}let r=t===`esp`||t===`isakmp`,i=e.includes(`.`)?Te[t]??[t]:[t];return e=>{let t=Oe(e);return i.includes(t)||t===De&&r}}var De=`udpencap`;function Oe(e){let{bytes:t,upper:n,stop:r,sourcePort:i,destinationPort:a}=e;if(e.protocol===j)return c(`udp`,i,a,t,n+8,F(e));if(e.protocol!==A)return``;let o=Math.min(r,n+P(e)+e.begins);return c(`tcp`,i,a,t,o,r)}var ke=Object.fromEntries(`ip.dsfield 1 1;ip.dsfield.dscp 1 1 fc;ip.dsfield.ecn 1 1 3;ip.len 2 2;ip.id 4 2;ip.flags 6 1 e0;
ip.flags.rb 6 1 80;ip.flags.df 6 1 40;ip.flags.mf 6 1 20;ip.frag_offset 6 2 1fff;ip.ttl 8 1;
ip.proto 9 1;ip.checksum 10 2;ip.src 12 4;ip.dst 16 4;
ipv6.plen 4 2;ipv6.nxt 6 1;ipv6.hlim 7 1;ipv6.src 8 16;ipv6.dst 24 16;
tcp.srcport 0 2;tcp.dstport 2 2;tcp.seq_raw 4 4;tcp.ack_raw 8 4;tcp.flags 12 2 fff;
tcp.flags.cwr 13 1 80;tcp.flags.ece 13 1 40;tcp.flags.urg 13 1 20;tcp.flags.ack 13 1 10;
tcp.flags.push 13 1 8;tcp.flags.reset 13 1 4;tcp.flags.syn 13 1 2;tcp.flags.fin 13 1 1;
tcp.window_size_value 14 2;tcp.checksum 16 2;tcp.urgent_pointer 18 2;
udp.srcport 0 2;udp.dstport 2 2;udp.length 4 2;udp.checksum 6 2;
icmp.type 0 1;icmp.code 1 1;icmp.ident 4 2;icmp.seq 6 2;icmpv6.type 0 1;icmpv6.code 1 1;
icmpv6.echo.identifier 4 2;icmpv6.echo.sequence_number 6 2`.split(/;\s*/).map(n=>{let[r=``,i=``,a=``,s]=n.split(` `),c=Number(i),l=r.startsWith(`ip`),u=e=>(l?e.ip:e.upper)+c;if(a===`16`)return[r,e=>e.bytes.subarray(u(e),u(e)+16)];let d={1:e,2:o}[a]??t;if(s===void 0)return[r,e=>d(e.bytes,u(e))];let f=Number.parseInt(s,16),p=31-Math.clz32(f&-f);return[r,e=>(d(e.bytes,u(e))&f)>>p]}));Object.assign(ke,{ip:e=>e.bytes.subarray(e.ip,e.stop),ipv6:e=>e.bytes.subarray(e.ip,e.stop),tcp:e=>e.bytes.subarray(e.upper,e.stop),udp:e=>e.bytes.subarray(e.upper,F(e)),icmp:e=>e.bytes.subarray(e.upper,e.stop),icmpv6:e=>e.bytes.subarray(e.upper,e.stop),"tcp.hdr_len":P,"tcp.len":e=>{let t=o(e.bytes,e.ip+(e.version===4?2:4)),n=t===0?e.originalLength:t+(e.version===4?0:40);return e.ip-e.start+n-(e.upper-e.start)-P(e)},"tcp.payload":e=>Ae(e,e.upper+P(e),e.stop),"udp.payload":e=>Ae(e,e.upper+8,F(e))});function P({bytes:t,upper:n}){return(e(t,n+12)>>4)*4}function F({bytes:e,upper:t,stop:n}){let r=o(e,t+4);return r<8?n:Math.min(n,t+r)}function Ae({bytes:e},t,n){return t<n?e.subarray(t,n):void 0}var je={frame:[1,({headers:e})=>e.bytes.subarray(e.start,e.end)],"frame.number":[1,e=>e.number],"frame.len":[1,({headers:e})=>e.originalLength],len:[1,({headers:e})=>e.originalLength],"frame.cap_len":[1,({headers:e})=>e.end-e.start],"frame.time":[1,e=>e.timeNs],"frame.time_epoch":[1,e=>e.timeNs],"frame.time_relative":[1,e=>e.relativeNs],"frame.time_delta":[1,e=>e.deltaNs],"frame.protocols":[k,({dissection:e})=>[`raw`,...e.layers.map(({name:e})=>e)].join(`:`)],"_ws.col.protocol":[k,({dissection:e})=>e.protocol],"_ws.col.info":[k,({dissection:e})=>e.info],"tcp.flags.str":[1,({headers:e})=>e.protocol===A&&e.upper>=0&&e.upper+14<=e.stop?Me(o(e.bytes,e.upper+12)):void 0],received:[1,({headers:e})=>e.hasDirection?Number(!e.injected):void 0],injected:[1,({headers:e})=>e.hasDirection?Number(e.injected):void 0],cut:[1,({headers:e})=>Number(e.originalLength>e.end-e.start)],fragment:[1,({headers:e})=>Number(e.fragment)],proto:[1,({headers:e})=>e.protocol<0?void 0:e.protocol]};function Me(e){return Array.from(`RRRACEUAPRSF`,(t,n)=>e>>11-n&1?t:`·`).join(``)}function I(e,t=0){let{kind:n,name:r,most:i,named:a,parts:o}=e,s={kind:n,name:r,most:i,named:a},c=je[r];if(c!==void 0){let[e,t]=c;return{...s,cost:e,each:(e,n)=>{let r=t(e);return r!==void 0&&n(r)}}}let l=o.map(t=>{let i=D.get(t)??e,a=ke[n===`bytes`?r:t];return{gate:Ee(i),direct:a}}),u=n!==`text`,d=Ie(e),f=e.noted||r===`tls`,p=({begins:t})=>t!==0&&r!==`tls`&&(e.protocol===`tls`||e.protocol===`http`),m=(n,r)=>{let{headers:i}=n;if(p(i)&&L(n.recordOf(e.protocol),o,r))return!0;if(f&&i.protocol!==-1){if(L(n.notes,o,r))return!0;if(e.noted)return!1}if(N(i)&&!(t<2&&l.some(({gate:e})=>e(i))))return!1;let{layers:a}=n.dissection;return L(t===0?a:Fe(a,e,t),o,r)};return{...s,cost:e.noted?we/2:u&&l.every(({direct:e})=>e!==void 0)?1:Pe(e),fields:m,each:(e,n)=>{let{headers:r}=e;if(u&&t<2&&N(r)){let e=!1;for(let{gate:t,direct:n}of l)e||=n===void 0&&t(r);if(!e&&!f&&!p(r)){for(let{gate:e,direct:t}of l){let i=t!==void 0&&e(r)?t(r):void 0;if(i!==void 0&&n(i))return!0}return!1}}return m(e,t=>{let r=d(e.dissection,t);return r!==void 0&&n(r)})}}}function Ne(e,t){let n=I(e,t),{kind:r,name:i}=e,a=M[i],o={ip:4,ipv6:6}[i],s=t===0&&(a!==void 0||o!==void 0),c=r===`boolean`?e=>e!==0:()=>!0,l=!i.endsWith(`.payload`)&&(r===`mark`||r===`protocol`||r===`bytes`||r===`text`);return{cost:s?1:n.cost,test:e=>{let{headers:t}=e;return s&&N(t)?a===void 0?t.version===o:t.protocol===a:l&&n.fields!==void 0?n.fields(e,()=>!0):n.each(e,c)}}}function Pe({protocol:e}){return e===`data`||e===`_ws`?k:M[e]===void 0&&!e.startsWith(`ip`)?we/2:we}function L(e,t,n){for(let r of e)if(t.includes(r.name)&&n(r)||r.fields.length>0&&L(r.fields,t,n))return!0;return!1}function Fe(e,{protocol:t},n){return e.filter(({name:e})=>e===t).slice(n-1,n)}function Ie({kind:e,name:r}){switch(e){case`text`:return(e,{value:t})=>String(t);case`ipv4`:case`ipv6`:return(r,{value:i})=>{let a=n(String(i));if(a!==null&&a.length===(e===`ipv4`?4:16))return e===`ipv4`?t(a,0):a};case`bytes`:return r.endsWith(`.payload`)?({bytes:e,layers:t},n)=>{let r=Re(t,n);return n.end<r?e.subarray(n.end,r):void 0}:({bytes:e},{start:t,end:n,value:r})=>t===n?Le(r):e.subarray(t,n);case`date`:return(e,{value:t})=>ae(String(t));case`protocol`:return({bytes:e,layers:t},n)=>e.subarray(n.start,Re(t,n));default:return(t,{value:n})=>typeof n==`string`?e===`mark`?1:void 0:Number(n)}}function Le(e){return Uint8Array.from(String(e).match(/[\da-f]{2}/g)??[],e=>Number.parseInt(e,16))}function Re(e,t){let n=t.end;for(let r=e.indexOf(t);r>=0&&r<e.length;r++)n=Math.max(n,e[r]?.end??0);return n}var ze=`amqp tcp 5672
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
xmpp tcp 5222`.split(`
`).map(e=>e.split(` `)),Be=new Map(ze.map(([e=``,,t])=>[e,Number(t)]));function Ve(e){let[,t,...n]=ze.find(([t])=>t===e)??[];if(t===void 0)return;let r=t===`-`?`port`:`${t}.port`;return n.length>1?`${r} in {${n.join(`, `)}}`:`${r} == ${n[0]}`}var R=new Map(Be);for(let[e,t]of Object.entries(u))R.set(t,Number(e));R.set(`dns`,53);var He=[`bad`,`good`,`unverified`,`not present`,`illegal`,`unknown`,`in`],Ue=/^[+-]?(?:0x[0-9a-f]+|0b[01]+|\d+)$/i,z=new TextEncoder;function B(e,t,n,r){if(t===`contains`||t===`matches`)return Je(e,t,n);if(Xe(e,n))return Ze(e,t,n,r);if(t===`==`||t===`!=`||t===`===`||t===`!==`){let{low:i,high:a}=Qe(e,n);return W(e,t,r,e=>G(e,i,a))}let{low:i,high:a}=K(e,n);return W(e,t,r,{"<":e=>H(e,i)<0,"<=":e=>H(e,a)<=0,">":e=>H(e,a)>0,">=":e=>H(e,i)>=0}[t]??(()=>!1))}function We(e,t,n,r,i){let[a,o]=[it(e.kind),it(n.kind)];if(a!==o||a===`mark`||t===`matches`)throw new d(t===`matches`?`A pattern in quotes should follow matches, as in matches "GET|POST".`:`${e.name} and ${n.name} cannot be compared with each other.`,i.start,i.end);let s={"<":(e,t)=>H(e,t)<0,"<=":(e,t)=>H(e,t)<=0,">":(e,t)=>H(e,t)>0,">=":(e,t)=>H(e,t)>=0,contains:(e,t)=>Ye(U(e),U(t))}[t]??((e,t)=>H(e,t)===0),c=t===`!=`||t===`!==`?(e,t)=>!s(e,t):s,l=Ge(t,r);return{cost:e.cost+n.cost,test:t=>{let r=[];if(n.each(t,e=>(r.push(e),!1)),r.length===0)return!1;let i=!1,a=e.each(t,e=>(i=!0,l?!r.every(t=>c(e,t)):r.some(t=>c(e,t))));return l?i&&!a:a}}}function Ge(e,t){return t?t===`all`:e===`!=`||e===`===`}function Ke(e,t,n){let r=t.map(([t,n])=>{if(n===void 0){let{low:n,high:r}=Qe(e,t);return e=>G(e,n,r)}let{low:r}=K(e,t),{high:i}=K(e,n);if(H(r,i)>0)throw new d(`This range ends before it begins.`,t.start,n.end);return e=>G(e,r,i)});return W(e,`==`,n,e=>r.some(t=>t(e)))}function qe(e,t){let{low:n}=K(e,t);if(typeof n==`number`)return n;throw new d(`A number is missing here.`,t.start,t.end)}function V(e){if(e.kind===`string`||e.kind===`char`)return z.encode(e.text);let t=e.text.replace(/^0x(?=(?:[0-9a-f]{2})+$)/i,``),n=/^[0-9a-f]{1,2}$/i.test(t)?[t]:/^(?:[0-9a-f]{2})+$/i.test(t)&&t.match(/../g)||/^[0-9a-f]{1,2}(?:[:.-][0-9a-f]{1,2})+$/i.test(t)&&t.split(/[:.-]/);if(n)return Uint8Array.from(n,e=>Number.parseInt(e,16));throw new d(`"${e.text}" is not a sequence of bytes. Write it as 47:45:54, or text in quotes.`,e.start,e.end)}function H(e,t){if(typeof e==`object`&&typeof t==`object`){let n=Math.min(e.length,t.length);for(let r=0;r<n;r++){let n=(e[r]??0)-(t[r]??0);if(n!==0)return n}return e.length-t.length}return e<t?-1:+(e>t)}function U(e){return typeof e==`object`?e:z.encode(String(e))}function W(e,t,n,r){let i=t===`!=`||t===`!==`?e=>!r(e):r;return Ge(t,n)?{cost:e.cost,test:t=>{let n=!1,r=e.each(t,e=>(n=!0,!i(e)));return n&&!r}}:{cost:e.cost,test:t=>e.each(t,i)}}function G(e,t,n){return H(e,t)>=0&&H(e,n)<=0}function Je(e,t,n){if(![`text`,`bytes`,`protocol`].includes(e.kind))throw new d(`${t} needs text or bytes, and ${e.name} is ${at(e)}.`,n.start,n.end);let r=e.cost+(e.kind===`text`?1:10);if(t===`contains`){let t=e.kind===`text`?z.encode(n.text):V(n);return{cost:r,test:n=>e.each(n,e=>Ye(U(e),t))}}if(n.kind!==`string`)throw new d(`Put the pattern in quotes: matches "${n.text}".`,n.start,n.end);try{let t=he(n.text);return{cost:r+10,test:n=>e.each(n,e=>t(U(e)))}}catch(e){if(!(e instanceof _))throw e;let t=Math.min(n.start+1+e.at,n.end-1);throw new d(`${e.message}.`,Math.max(n.start,t),n.end)}}function Ye(e,t){let n=t[0];if(n===void 0)return!0;let r=e.length-t.length;for(let i=e.indexOf(n);i>=0&&i<=r;i=e.indexOf(n,i+1)){let n=1;for(;n<t.length&&e[i+n]===t[n];)n++;if(n===t.length)return!0}return!1}function Xe(e,{kind:t,text:n}){return e.named&&e.fields!==void 0&&(t===`string`||!/^[\d+-]/.test(n))}function Ze(e,t,n,r){if(!/^[!=]=+$/.test(t))throw new d(`A name can be compared with == and != only.`,n.start,n.end);let i=n.text.toLowerCase();if(!s(i)&&!He.includes(i))throw new d(`"${n.text}" is not the name of a value.`,n.start,n.end);let{fields:a}=e;return W({...e,each:(e,t)=>a?.(e,({text:e})=>t(e.toLowerCase()))??!1},t,r,e=>{let t=String(e);return t===i||t.startsWith(`${i} (`)||t.endsWith(`(${i})`)})}function Qe(e,t){let[n,r,...i]=t.text.split(/(?<=[\da-f])-(?=\d)/i);if(e.kind!==`number`||r===void 0||i.length>0||t.kind!==`word`)return K(e,t);let a=(n=``)=>K(e,{...t,text:n}).low,[o,s]=[a(n),a(r)];if(o>s)throw new d(`This range ends before it begins.`,t.start,t.end);return{low:o,high:s}}function K(e,t){let{text:n}=t,r=e=>({low:e,high:e});switch(e.kind){case`number`:return r(et(e,t));case`boolean`:{let i=/^(?:1|true|set)$/i.test(n)||(/^(?:0|false|not set)$/i.test(n)?0:-1);if(i!==-1)return r(Number(i));throw new d(`${e.name} is true or false: use it alone, or compare it with 1 or 0.`,t.start,t.end)}case`ipv4`:case`ipv6`:return tt(e,t);case`text`:return r(n);case`bytes`:return r(V(t));case`seconds`:{let[,i,a=``,o=``]=/^(-?)(\d+)(?:\.(\d{0,9})\d*)?$/.exec(n)??[];if(i===void 0)throw new d(`"${n}" is not a number of seconds.`,t.start,t.end);if(!e.name.startsWith(`frame.`))return r(Number(n));let s=BigInt(a)*1000000000n+BigInt(o.padEnd(9,`0`));return r(i?-s:s)}case`date`:return r(rt(t));default:throw new d(e.kind===`protocol`?`${e.name} is a protocol: use it alone, or a field of it${$e(e.name)}.`:`${e.name} has no value: use it alone.`,t.start,t.end)}}function $e(e){return e===`tcp`||e===`udp`?`, e.g. ${e}.port == 443`:``}function et({name:e,most:t,named:n},r){let{text:i,kind:a,start:o,end:s}=r,c=/port$/.test(e);if(a===`char`&&i.length===1)return i.charCodeAt(0);if(c){let e=R.get(i.toLowerCase());if(e!==void 0)return e}if(!Ue.test(i)||a===`string`)throw new d(`"${i}" is not a ${c?`port`:n?`number or name of a value`:`number`}.${c?` Examples: 443, 8000-8100, https.`:``}`,o,s);let l=i.replace(/^[+-]/,``),u=/^0\d+$/.test(l);if(u&&/[89]/.test(l))throw new d(`A number that begins with 0 is octal; leave the 0 out.`,o,s);let f=u?Number.parseInt(l,8):Number(l),p=i.startsWith(`-`)?-f:f;if(p>t||p<0&&t!==2**31-1&&t<1/0)throw new d(`${c?`A port`:e} must be between 0 and ${t}.`,o,s);return p}function tt({kind:e,name:t},n){let r=n.kind===`char`?null:a(n.text),i=e===`ipv4`?4:16;if(r===null){let t=e===`ipv4`?`10.6.7.7, 10.6.7.0/24`:`fd06::1, fd06::/16`;throw new d(`"${n.text}" is not an address. Examples: ${t}.`,n.start,n.end)}if(r.address.length!==i){let e=t.replace(/^ip(v6)?/,(e,t)=>t?`ip`:`ipv6`);throw new d(`${t} is an IPv${i===4?`4`:`6`} field. Write ${e} == ${n.text}, or host ${n.text}.`,n.start,n.end)}let o=r.address.map((e,t)=>e&65280>>nt(r.length-8*t)),s=o.map((e,t)=>e|255>>nt(r.length-8*t));if(e===`ipv6`)return{low:o,high:s};let c=e=>e.reduce((e,t)=>e*256+t,0);return{low:c(o),high:c(s)}}function nt(e){return Math.min(8,Math.max(0,e))}function rt({text:e,start:t,end:n}){let r=ae(e);if(r!==void 0)return r;throw new d(`"${e}" is not a time. Example: "2026-03-14 09:26:53".`,t,n)}function it(e){return{boolean:`number`,protocol:`bytes`}[e]??e}function at({kind:e}){return{number:`a number`,boolean:`true or false`,ipv4:`an address`,ipv6:`an address`,seconds:`a time`,date:`a time`}[e]??`without a value`}var ot=[{"&":(e,t)=>Number(e<=4294967295&&t<=4294967295?(e&t)>>>0:BigInt(Math.trunc(e))&BigInt(Math.trunc(t)))},{"+":(e,t)=>e+t,"-":(e,t)=>e-t},{"*":(e,t)=>e*t,"/":(e,t)=>t===0?void 0:Math.trunc(e/t),"%":(e,t)=>t===0?void 0:e%t}],q=({kind:e})=>e===`number`||e===`boolean`;function J(e,t,n){return{kind:e,name:n,most:1/0,named:!1,cost:0,each:(e,n)=>n(t)}}function st(e,t,n,r){let i={most:1/0,named:!1,cost:e.cost+n.cost},a=`${e.name} ${t.text} ${n.name}`,o=t=>(r,i)=>e.each(r,e=>n.each(r,n=>{let r=t(e,n);return r!==void 0&&i(r)})),s=[e.kind,n.kind];if(t.text===`&`&&s.every(e=>e===`bytes`)){let e=o((e,t)=>U(e).map((e,n)=>e&(U(t)[n]??0)));return{...i,name:a,kind:`bytes`,each:e}}let c=t.text===`&`&&s.every(e=>e===`ipv4`);if(!c&&!(q(e)&&q(n)))throw new d(`${t.text} needs numbers on both sides.`,t.start,t.end);let l=o((e,t)=>r(Number(e),Number(t)));return{...i,name:a,kind:c?`ipv4`:`number`,each:l}}function ct(e,{text:t,start:n,end:r}){if(e.kind!==`ipv4`&&e.kind!==`ipv6`&&e.kind!==`text`&&e.kind!==`bytes`&&e.kind!==`protocol`)throw new d(`${e.name} has no bytes to take a slice of.`,n,r);let i=t.split(`,`).map(e=>{let[,t,i,a]=/^\s*(-?\d+)?\s*(:|(?<=\d\s*)-(?=\s*\d))?\s*(-?\d+)?\s*$/.exec(e)??[];if(t===void 0&&i!==`:`)throw new d(`A slice is written as [offset:length], [first-last], [:length] or [offset].`,n,r);return e=>{let n=t===void 0?0:Number(t)+(t.startsWith(`-`)?e:0);return i===void 0?[n,n+1]:i===`-`?[n,Number(a)+1]:[n,a===void 0?e:n+Number(a)]}});return{kind:`bytes`,name:`${e.name}[${t}]`,most:0,named:!1,cost:e.cost,each:(t,n)=>e.each(t,t=>{let r=e.kind===`ipv4`?lt(Number(t)):U(t),a=[];for(let e of i){let[t,n]=e(r.length);if(t<0||t>=n||n>r.length)return!1;a.push(...r.subarray(t,n))}return n(Uint8Array.from(a))})}}function lt(e){return Uint8Array.of(e>>>24,e>>>16,e>>>8,e)}function ut(e){return lt(e).join(`.`)}var dt={len:`length in bytes`,count:`how many there are in the packet`,lower:`text in lower case`,upper:`text in upper case`,string:`a number or address as text`,max:`the largest`,min:`the smallest`,abs:`without its sign`};function ft(e,t){let[n,...r]=t,i=e.text.toLowerCase(),a=t=>{throw new d(t,e.start,e.end)};if(n===void 0)return a(`${i}() needs a field between its brackets.`);let o=i===`max`||i===`min`;r.length>0&&!o&&a(`${i}() takes one field.`);let s={name:`${i}(${t.map(e=>e.name).join(`, `)})`,most:1/0,named:!1,cost:t.reduce((e,t)=>e+t.cost,1)},c=(e,t)=>({...s,kind:e,each:(e,r)=>n.each(e,e=>r(t(e)))});switch(i){case`len`:return(n.kind===`number`||n.kind===`boolean`||n.kind===`seconds`)&&a(`len() needs text or bytes, and ${n.name} is a number.`),n.kind!==`protocol`||n.fields===void 0?c(`number`,e=>n.kind===`ipv4`?4:U(e).length):{...s,kind:`number`,each:(e,t)=>n.fields?.(e,({start:e,end:n})=>t(n-e))??!1};case`count`:return{...s,kind:`number`,each:(e,t)=>{let r=0;return n.each(e,()=>++r<0),r>0&&t(r)}};case`lower`:case`upper`:return n.kind!==`text`&&a(`${i}() needs text, and ${n.name} is something else.`),c(`text`,e=>i===`lower`?String(e).toLowerCase():String(e).toUpperCase());case`string`:return n.kind!==`number`&&n.kind!==`ipv4`&&n.kind!==`boolean`&&a(`string() needs a number or an IPv4 address.`),c(`text`,e=>n.kind===`ipv4`?ut(Number(e)):String(e));case`abs`:return q(n)||a(`abs() needs a number.`),c(`number`,e=>Math.abs(Number(e)));default:return t.some(({kind:e})=>e!==n.kind)&&a(`${i}() needs values of one kind.`),{...s,kind:n.kind,each:(e,n)=>{let r;for(let n of t)n.each(e,e=>((r===void 0||H(e,r)>0==(i===`max`))&&(r=e),!1));return r!==void 0&&n(r)}}}}var pt=80;function mt(e){let t=[...e].sort((e,t)=>e.cost-t.cost);return{cost:Y(e),test:e=>t.every(t=>t.test(e))}}function ht(e){let t=[...e].sort((e,t)=>e.cost-t.cost);return{cost:Y(e),test:e=>t.some(t=>t.test(e))}}function gt(e){return{cost:Y(e),test:t=>e.filter(e=>e.test(t)).length%2==1}}function Y(e){return e.reduce((e,{cost:t})=>e+t,0)}function _t(e){let t=e.toLowerCase(),n=new TextEncoder().encode(t);return{cost:pt,test:e=>{let{bytes:i,start:a,end:o}=e.headers;if(n.length>0&&r(i,a,o,n)>=0)return!0;let{source:s,destination:c,protocol:l,info:u}=e.dissection;return`${s} ${c} ${l} ${u}`.toLowerCase().includes(t)}}}var vt=/^(?:eth|arp|vlan|wlan|llc|stp|lldp|cdp|sll|ppp)(?:\.|$)/i,yt=String.raw`(?:[=!<>~]{1,3}|(?:eq|ne|gt|lt|ge|le|contains|matches)\b)`,bt=String.raw`(?:"(?:[^"\\]|\\.)*"|[^\s()"]+)`,xt=new RegExp(String.raw`^\s*${yt}\s*${bt}`,`i`);function St({text:e,start:t,end:n},{filter:r,isCompared:i,repeated:a},o){let s=(e,r)=>new d(e,t,n,r),c=r.slice(0,t),l=r.slice(n),u=(e,t=l)=>o(c+e+t),f=`"${e}"`;if(vt.test(e)){let t=`Packets begin with their IP header here, so there is no ${e} in any of them.`,a=/(?:\bnot\s+|!\s*)$/i.exec(c);if(a!==null){let e=i?``:Et(r,a.index,n);return s(t,e===``?void 0:o(e))}return i?s(t):s(`${t} Search the text for it: ${f}.`,u(f))}if(/^_ws\.expert\b/i.test(e))return s(`There is no ${e} here: tcp.analysis.flags finds trouble of TCP, and _ws.malformed what is malformed.`);if(e.endsWith(`.`))return s(`The name of a field is missing after ${f}.`);let[p=``]=e.split(`.`),m=Ve(p.toLowerCase());if(m!==void 0)return s(`"${p}" is not decoded here. Find its packets by port: ${m}.`,u(m,l.replace(xt,``)));if(!i){let t=Ct(e,a,u);if(t!==void 0)return s(...t)}let h=Tt(e.toLowerCase());return h===void 0?i||D.get(p.toLowerCase())?.kind===`protocol`?s(`There is no field ${f}.`):s(`${f} is not a field, protocol or operator. Search the text for it: ${f}.`,u(f)):s(`There is no field ${f}; did you mean ${h}?`,u(h))}function Ct(e,t,n){if(t!==``&&!/^[a-z_]\w*\./i.test(e)){let r=t+e,i=n(r);if(i!==void 0)return[`"${e}" is compared with nothing. Write the field again: ${r}.`,i]}if(a(e)!==null)return[`"${e}" is an address. Write host ${e} to find it.`,n(`host ${e}`)];if(/^\d{1,5}$/.test(e))return[`"${e}" is a number. Write port ${e} if it is a port.`,n(`port ${e}`)]}var wt={destination:`dst`,dport:`dstport`,query:`qry.name`,retransmit:`analysis.retransmission`,rtt:`ack_rtt`,source:`src`,sport:`srcport`,status:`response.code`};function Tt(e){let[t=``]=e.split(`.`,1),n=e.slice(t.length+1);if(n===``)return Se(e,e.charAt(0));if(D.get(t)?.kind!==`protocol`)return Se(e);let r=e.lastIndexOf(`.`)+1,i=e.slice(0,r)+(wt[e.slice(r)]??`?`);if(D.has(i))return i;let a=`${t}.`;return[...D.keys()].find(e=>e.startsWith(a)&&e.endsWith(`.${n}`))??(n.length<4?void 0:Se(e,a))}function Et(e,t,n){if(/\bxor\b|\^\^/i.test(e))return``;let r=e.slice(0,t),i=e.slice(n),[a,o]=[/(?:\band|&&)\s*$/i,/^\s*(?:and\b|&&)/i];return o.test(i)&&(a.test(r)||/^$|(?:\(|\bor|\|\|)$/i.test(r.trim()))?r+i.replace(o,``).trim():a.test(r)?r.replace(a,``).trim()+i:``}var X={"==":`==`,"=":`==`,eq:`==`,any_eq:`==`,"!=":`!=`,ne:`!=`,all_ne:`!=`,"===":`===`,all_eq:`===`,"!==":`!==`,"~=":`!==`,any_ne:`!==`,"<":`<`,lt:`<`,"<=":`<=`,le:`<=`,">":`>`,gt:`>`,">=":`>=`,ge:`>=`,contains:`contains`,matches:`matches`,"~":`matches`},Z=[`and`,`&&`],Dt=[`xor`,`^^`],Ot=[`or`,`||`],kt=[`not`,`!`],At=[...Z,...Dt,...Ot,...kt],Q=[`port`,`host`,`net`,`src`,`dst`,`proto`,`addr`],jt=100,Mt=1e4,Nt=8;function Pt(e){if(e.length>Mt)throw new d(`A filter has at most ${Mt} characters.`,Mt,e.length);let t=g(e);if(t.length===0)return null;let{test:n}=new It(t,e,Nt).whole();return{test:n}}function Ft(e,t){try{return new It(g(e),e,t).whole(),e}catch(e){return e instanceof d?e.offer:void 0}}var It=class{tokens;text;mends;at=0;depth=0;constructor(e,t,n){this.tokens=e,this.text=t,this.mends=n}whole(){let e=this.alternatives(),t=this.peek();if(t===void 0)return e;if(t.text===`)`&&t.kind===`sign`)throw this.error(`This bracket was never opened.`,t);let n=this.quoted(t);if(t.kind!==`word`&&t.kind!==`string`&&t.text!==`(`)throw this.error(`${n} is not expected here.`,t);let r=e=>`${this.text.slice(0,t.start).trimEnd()} ${e} ${this.text.slice(t.start)}`,i=this.tokens[this.at-1],a=i?.kind===`word`?O(i.text):void 0;if(a!==void 0&&a.kind!==`protocol`&&O(t.text)===void 0){let e=`An operator such as == is missing before ${n}.`;throw this.error(e,t,this.mended(r(`==`)))}let o=`"and" or "or" is missing before ${n}.`;throw this.error(o,t,this.mended(r(`and`)))}mended(e){return this.mends>0?Ft(e,this.mends-1):void 0}alternatives(){return this.chain(Ot,()=>this.chain(Dt,()=>this.chain(Z,()=>this.negation(),mt),gt),ht)}chain(e,t,n){let r=[t()];for(;this.take(e);)r.push(t());return r.length===1&&r[0]?r[0]:n(r)}negation(){let e=this.peek();if(!this.take(kt))return this.relation();if(++this.depth>jt&&e)throw this.error(`This is nested too deeply.`,e);let{cost:t,test:n}=this.negation();return this.depth--,{cost:t,test:e=>!n(e)}}relation(){let e=this.next(`a protocol, a field or text`);if(e.kind===`string`&&!this.isOperator())return _t(e.text);if(this.at--,this.isSign(`(`)){let e=this.group();if(e!==null)return e}if(this.isSign()&&![`{`,`(`,`-`].includes(e.text)||e.kind===`word`&&[...At,`in`].includes(e.text.toLowerCase()))throw this.error(`A protocol, a field or text is missing before ${this.quoted(e)}.`,e);let t=this.own(e);if(t!==null)return t;let n=e.text.toLowerCase(),r=this.tokens[this.at+1],i;e.kind===`word`&&(n===`any`||n===`all`)&&r?.kind===`word`&&(i=n,this.at++);let a=this.at,o=this.sum(0),s=this.operator();if(s!==null)return this.comparison(o,s,i);let c=this.isWord(`not`)&&this.tokens[this.at+1]?.text.toLowerCase()===`in`;if(c&&this.at++,this.isWord(`in`)){let e=this.membership(this.needField(o),i);return c?{cost:e.cost,test:t=>!e.test(t)}:e}return this.alone(o,this.tokens.slice(a,this.at),i)}group(){let e=this.at,t=this.next(``);if(++this.depth>jt)throw this.error(`This is nested too deeply.`,t);let n;try{if(n=this.alternatives(),!this.isSign(`)`)){let e=this.peek();throw e!==void 0&&e.kind!==`sign`&&this.whole(),this.error(`The closing bracket is missing.`,t)}}finally{this.depth--}this.at++;let r=this.peek();return r?.kind!==`sign`||!this.isOperator()&&!/^[-+*/%&]$/.test(r.text)?n:(this.at=e,null)}alone(e,t,n){let[r,i]=t,a=r?.kind===`word`?O(r.text):void 0,o=i?.kind===`layer`?Number(i.text):0;if(n!==void 0&&r)throw this.error(`A comparison should follow ${n}.`,r);if(a!==void 0&&r&&t.length===(o?2:1)){if(Q.includes(r.text.toLowerCase())){let e=a.name===`port`?443:6;throw this.error(`A number should follow, as in ${r.text} ${e}.`,r)}return Ne(a,o)}let s=this.needField(e),c=t.at(-1);if(r&&c&&s.kind!==`bytes`&&!t.some(({text:e})=>/^[-+*/%&]$/.test(e)))throw new d(`Compare ${s.name} with something, as in ${s.name} > 10.`,r.start,c.end);let l=t.some(({kind:e,text:t})=>e===`sign`&&/^[-+*/%&]$/.test(t)),{cost:u}=s;return{cost:u,test:e=>s.each(e,e=>!l||(typeof e==`object`?e.some(e=>e!==0):Number(e)!==0))}}comparison(e,t,n){let r=this.tokens[this.at-1];if(this.peek()===void 0&&this.next(`a value after ${r.text}`),`literal`in e){let{kind:t,text:n}=e.literal;throw t===`word`&&/^[a-z_]/i.test(n)?this.unknown(e.literal):this.error(`The left side should be a field.`,e.literal)}let i=this.sum(0,e);return`literal`in i?this.withValue(e,t,i.literal,n):We(e,t,i,n,r)}withValue(e,t,n,r){try{return B(e,t,n,r)}catch(e){if(!(e instanceof d)||n.kind!==`word`)throw e;let[t,r]=[this.text.slice(0,n.start),this.text.slice(n.end)],i=this.mended(`${t}"${n.text}"${r}`);throw new d(e.message,e.start,e.end,i)}}membership(e,t){let n=this.next(``),r=this.next(`"{" and values`);if(r.text!==`{`)throw new d(`Put the values in curly brackets: in {80, 443}.`,n.start,r.end);let i=[];for(;;){let e=this.next(`"}"`);if(e.text===`}`&&e.kind===`sign`&&i.length>0)break;if(!(e.text===`,`&&e.kind===`sign`&&i.length>0)){if(e.kind===`sign`)throw this.error(`A value is missing here.`,e);this.isSign(`..`)?(this.at++,i.push([e,this.next(`the end of the range`)])):i.push([e,void 0])}}return Ke(e,i,t)}sum(e,t){let n=ot[e];if(n===void 0)return this.primary(t);let r=this.sum(e+1,t);for(;;){let i=this.peek(),a=i?.kind===`sign`?n[i.text]:void 0;if(i===void 0||a===void 0)return r;this.at++;let o=this.sum(e+1,t),s=`literal`in r?this.typed(r.literal,o,t):r;r=st(s,i,`literal`in o?this.typed(o.literal,s):o,a)}}typed(e,t,n){let r=`literal`in t?n:t;if(r?.kind===`bytes`)return J(`bytes`,V(e),e.text);if(r===void 0||e.kind===`word`&&!/^[-+\d]/.test(e.text))throw this.notField(e);let i={...r,most:1/0,named:!1};return r.kind===`boolean`?J(`number`,qe({...i,kind:`number`},e),e.text):J(r.kind,qe(i,e),e.text)}primary(e){let t=this.next(`a value or a field`);if(t.kind===`sign`){if(t.text===`-`){let n=this.needField(this.primary(e));return st(J(`number`,0,``),t,n,(e,t)=>e-t)}let n={"{":`}`,"(":`)`}[t.text];if(n===void 0)throw this.error(`A value is missing here.`,t);if(++this.depth>jt)throw this.error(`This is nested too deeply.`,t);let r=this.sum(0,e);if(this.depth--,!this.isSign(n))throw this.error(`The closing bracket is missing.`,t);return this.at++,r}if(t.kind!==`word`)return{literal:t};let n=t.text.toLowerCase();if(this.isSign(`(`)&&Object.hasOwn(dt,n))return this.suffixed(this.call(t));let r=O(n);if(r===void 0||e!==void 0&&Lt(e,t)){if(!(e===void 0?/^[-+\d]/.test(n):!Rt(e,n)))throw this.unknown(t);return{literal:t}}if(Q.includes(n)&&n!==`port`&&n!==`proto`)throw this.unfit(t);let i=this.peek();if(i?.kind!==`layer`)return this.suffixed(I(r));if(this.at++,i.text===`0`)throw this.error(`Layers count from 1.`,i);return this.suffixed(I(r,Number(i.text)))}suffixed(e){let t=this.peek();return t?.kind===`slice`?(this.at++,ct(e,t)):e}call(e){this.at++;let t=[];for(;!this.isSign(`)`);){if(t.length>0&&!this.take([`,`])){let e=this.next(`")"`);throw this.error(`A comma or the closing bracket is missing here.`,e)}t.push(this.needField(this.sum(0)))}return this.at++,ft(e,t)}own(e){if(e.kind!==`word`)return null;let t=e.text.toLowerCase(),n=this.tokens[this.at+1],r=n?.text.toLowerCase()??``;if((t===`from`||t===`to`)&&r===`host`)return this.at+=2,Ne(D.get(t===`from`?`received`:`injected`),0);if(!Q.includes(t))return null;this.at++;let i=t===`src`||t===`dst`?t:``,a=t;if(i&&n?.kind===`word`&&[`port`,`host`,`net`].includes(r)?(a=r,this.at++):i&&(a=`host`),n===void 0)return this.at--,null;if(a!==`port`&&a!==`proto`)return this.addresses(i,e);i&&=`${i}.`;let o={...I(D.get(`${i}${a}`)),name:a};if(this.isOperator()){let e=this.operator();return this.comparison(o,e,void 0)}return this.isWord(`in`)?this.membership(o,void 0):this.peek()?.kind===`word`?B(o,`==`,this.next(`a value after ${a}`),void 0):(this.at=this.tokens.indexOf(e),null)}addresses(e,t){let n=this.isOperator()?this.operator():`==`,r=e||`addr`,i=e=>{let n=(a(e.text)?.address.length??(e.text.includes(`:`)?16:4))>4;return{...I(D.get(`${n?`ipv6`:`ip`}.${r}`)),name:t.text}};if(this.isWord(`in`)){let e=this.at,n=[];for(this.at+=2;this.peek()!==void 0&&!this.isSign(`}`);){let e=this.next(``);if(e.text===`,`&&e.kind===`sign`)continue;if(e.kind===`sign`)throw this.error(`An address is missing here.`,e);let t=this.isSign(`..`)&&this.at++?this.next(`the end of the range`):void 0;n.push(Ke(i(e),[[e,t]],void 0))}return this.tokens[e+1]?.text!==`{`||n.length===0||!this.isSign(`}`)?(this.at=e,this.membership(i(t),void 0)):(this.at++,ht(n))}let o=this.next(`an address after ${t.text}`);if(o.kind===`sign`)throw this.error(`An address is missing here.`,o);if(n!==`==`&&n!==`!=`)throw this.error(`${n} cannot be used with ${t.text}.`,t);let s=B(i(o),`==`,o,void 0);return n===`==`?s:{cost:s.cost,test:e=>e.headers.version!==0&&!s.test(e)}}needField(e){if(`literal`in e)throw this.notField(e.literal);return e}notField(e){return e.kind===`word`&&O(e.text)===void 0?this.unknown(e):this.error(`The left side should be a field.`,e)}unfit(e){return this.error(`An address should follow, as in ${e.text} 10.6.7.0/24.`,e)}unknown(e){return this.mends===0?this.error(``,e):St(e,{filter:this.text,isCompared:this.isOperator(),repeated:this.comparisonBefore(e)},e=>this.mended(e))}comparisonBefore(e){let t=this.tokens.slice(0,this.tokens.indexOf(e)),n=e=>t.at(-e)?.text.toLowerCase()??``;for(;kt.includes(n(1));)t.pop();let[r,,i]=t.slice(-4);return!([...Z,...Ot].includes(n(1))&&Object.hasOwn(X,n(3)))||r?.kind!==`word`||i===void 0?``:this.text.slice(r.start,i.start)}operator(){return this.isOperator()?X[this.tokens[this.at++]?.text.toLowerCase()??``]??null:null}isOperator(){let e=this.peek();return e===void 0||e.kind!==`sign`&&e.kind!==`word`?!1:Object.hasOwn(X,e.text.toLowerCase())}take(e){let t=this.peek(),n=t?.kind===`sign`||t?.kind===`word`;return t===void 0||!n||!e.includes(t.text.toLowerCase())?!1:(this.at++,!0)}peek(){return this.tokens[this.at]}isWord(e){let t=this.peek();return t?.kind===`word`&&t.text.toLowerCase()===e}isSign(e){let t=this.peek();return t?.kind===`sign`&&(e===void 0||t.text===e)}quoted(e){return e.kind===`string`?this.text.slice(e.start,e.end):`"${e.text}"`}error(e,{start:t,end:n},r){return new d(e,t,n,r)}next(e){let t=this.tokens[this.at++];if(t!==void 0)return t;let{length:n}=this.text;throw new d(`The filter is not finished: ${e} is missing.`,n,n)}};function Lt(e,{text:t}){return(e.kind===`text`||e.named||/port$/.test(e.name))&&!t.includes(`.`)}function Rt({kind:e},t){let[n=``,...r]=t.split(`.`);return r.length===0||D.get(n)?.kind!==`protocol`?!1:e!==`text`||!/\.[a-z]{2,3}$/.test(t)}var zt=class{surroundings;headers=new i;number=0;row=0;decoded=null;noted=null;constructor(e){this.surroundings=e}point(e,t){this.row=e,this.number=t,this.decoded=this.noted=null,this.headers.begins=this.surroundings.begins(e)}get timeNs(){return this.surroundings.timeNs(this.row)}get deltaNs(){return this.timeNs-this.surroundings.previousNs(this.row)}get relativeNs(){return this.timeNs-this.surroundings.originNs()}get dissection(){let{bytes:e,start:t,end:n,originalLength:r,begins:i}=this.headers;return this.decoded??=l(e.subarray(t,n),r,i)}recordOf(e){return this.surroundings.record(this.row,e)}get notes(){return this.noted??=this.surroundings.notes(this.row)}},Bt=12;function $(e){return e.split(`;`).map(e=>{let[t=``,n=``]=e.split(/ (.*)/s);return{text:t,about:n}})}var Vt=$(`and both must hold;or one must hold;xor exactly one must hold`),Ht=$(`== equal;!= not equal;> greater;>= greater or equal;< less;<= less or equal;in one of several values;contains text or bytes within;matches a regular expression;& bits that are set`),Ut={number:`== != > >= < <= in &`,boolean:`== !=`,ipv4:`== != in`,ipv6:`== != in`,text:`== != contains matches in`,bytes:`== != contains matches`,protocol:`contains matches`,seconds:`> >= < <= ==`,date:`> >= < <=`},Wt=$(`1 true;0 false`),Gt=$(`53 DNS;80 HTTP;123 NTP;443 HTTPS, QUIC;5353 mDNS`),Kt=$(`1 A;28 AAAA;5 CNAME;12 PTR;15 MX;16 TXT;33 SRV;65 HTTPS`),qt=$(`"Bad" wrong;"Good" right;"Unverified" cannot be said`),Jt={port:Gt,proto:$(`1 ICMP;6 TCP;17 UDP;58 ICMPv6`),"ip.proto":$(`1 ICMP;2 IGMP;6 TCP;17 UDP;47 GRE`),"icmp.type":$(`0 echo reply;3 destination unreachable;8 echo request;11 time exceeded`),"icmpv6.type":$(`128 echo request;129 echo reply;133 router solicitation;134 router advertisement;135 neighbor solicitation;136 neighbor advertisement`),"dns.qry.type":Kt,"dns.resp.type":Kt,"dns.flags.rcode":$(`0 no error;2 server failure;3 no such name;5 refused`),"http.request.method":$(`"GET" ;"POST" ;"HEAD" ;"PUT" ;"DELETE" `),"http.response.code":$(`200 OK;301 moved;304 not modified;404 not found;500 server error`),"tls.handshake.type":$(`1 Client Hello;2 Server Hello;11 Certificate`),"tls.record.content_type":$(`20 change cipher spec;21 alert;22 handshake;23 data`)},Yt=[...$(`not must not hold;from host sent by this host;to host sent to this host;any at least one value fits;all every value fits`).map(e=>e.text===`from`||e.text===`to`?{text:`${e.text} host`,about:e.about.replace(/^host /,``)}:e),...[...D.values()].filter(({name:e})=>!/^(?:src|dst)\.port$|^(?:received|injected)$/.test(e)).map(({name:e,about:t})=>({text:e,about:t})),...Object.entries(dt).map(([e,t])=>({text:`${e}(`,about:t}))];function Xt(e,t,n=[]){let r;try{r=g(e.slice(0,t))}catch{return{start:t,suggestions:[]}}let i=r.at(-1),a=i?.kind===`word`&&i.end===t?i:void 0,o=a===void 0?r:r.slice(0,-1),s=(a?.text??``).toLowerCase(),c=en(o,n).filter(e=>e.text.toLowerCase()!==s&&Zt(e.text.toLowerCase(),s));return{start:a?.start??t,suggestions:c.sort((e,t)=>$t(e,s)-$t(t,s)).slice(0,Bt)}}function Zt(e,t){return e.startsWith(t)||t.length>1&&e.includes(t)}var Qt=`ip.addr ipv6.addr port host tcp udp dns http tls icmp not from`.split(` `);function $t({text:e},t){if(t===``){let t=Qt.indexOf(e.split(` `)[0]??``);return t<0?Qt.length:t}let n=(D.get(e)?.parts.length??0)>1?.5:0;return(e.toLowerCase().startsWith(t)?0:10)+e.split(`.`).length-n}function en(e,t){let n=e.at(-1);if(n===void 0)return Yt;let r=n.kind===`word`||n.kind===`sign`?n.text.toLowerCase():``;if(/^(?:and|or|xor|not|any|all|&&|\|\||\^\^|!|\()$/.test(r))return Yt;if(r===`in`)return[{text:`{`,about:`values with commas between, then }`}];if(Object.hasOwn(X,r)||r===`{`||r===`,`){let n=tn(e);return n===void 0?[]:nn(n,t)}if(r===`from`||r===`to`)return[{text:`host`,about:`by direction`}];if(n.kind===`sign`&&r!==`)`&&r!==`}`)return[];if(n.kind===`string`||n.kind===`sign`)return Vt;let i=e.at(-2)?.text.toLowerCase()??``;if((Object.hasOwn(X,i)||Q.includes(i))&&n.kind===`word`&&r!==`port`&&r!==`host`||r===`host`&&(i===`from`||i===`to`))return Vt;if(r===`src`||r===`dst`)return[{text:`port`,about:`of this end`},...t.map(e=>({text:e,about:`seen`}))];let a=n.kind===`word`?O(r):tn(e);if(Q.includes(r)&&a!==void 0)return nn(a,t);let o=(Ut[n.kind===`slice`?`bytes`:a?.kind??``]??``).split(` `);return[...Ht.filter(({text:e})=>o.includes(e)),...Vt]}function tn(e){let t=e.findLast(({kind:e,text:t})=>e===`word`&&O(t));return t&&O(t.text)}function nn(e,t){let{kind:n,name:r}=e;return n===`ipv4`||n===`ipv6`||r===`host`?t.filter(e=>r===`host`||e.includes(`:`)===(n===`ipv6`)).map(e=>({text:e,about:`seen`})):/port$/.test(r)?Gt:r.endsWith(`.checksum.status`)?qt:Jt[r]??(n===`boolean`?Wt:[])}export{O as a,Tt as i,zt as n,d as o,Pt as r,Xt as t};