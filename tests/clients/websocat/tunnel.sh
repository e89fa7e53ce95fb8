#!/bin/sh
# Answer pings to any address behind an adapter: tunnel.sh SESSION, with websocat and any program
# that reads packets and writes packets. A length before each packet keeps them apart in the pipe.
exec websocat --binary --lengthprefixed-nbytes 2 \
  --header "Authorization: Bearer $TOKEN" --protocol v1.raw.wintun-api \
  "ws${API#http}/v1/sessions/$1/packets" lengthprefixed:cmd:"perl $(dirname "$0")/echo.pl"
