#!/bin/sh
# What the API has to say: that it runs, as which task, where, and who asked.
client=${HTTP_X_FORWARDED_FOR:-$REMOTE_ADDR}
client=${client%%,*}
client=${client#[::ffff:}
client=${client%]}
printf 'Content-Type: text/plain\r\n\r\n'
echo 'The API service is running...'
echo "task:   ${TASK:-$(hostname)}"
echo "node:   ${NODE:-unknown}"
echo "client: $client"
