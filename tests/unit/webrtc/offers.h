/* Offers as libwebrtc writes them for the Web SDK's channel, captured with createOffer(). */
#pragma once

/* @roamhq/wrtc 0.10.0 under node 20. */
#define OFFER_NODE                                                               \
	"v=0\r\n"                                                                \
	"o=- 3016866570917716723 2 IN IP4 127.0.0.1\r\n"                         \
	"s=-\r\n"                                                                \
	"t=0 0\r\n"                                                              \
	"a=group:BUNDLE 0\r\n"                                                   \
	"a=extmap-allow-mixed\r\n"                                               \
	"a=msid-semantic: WMS\r\n"                                               \
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"                   \
	"c=IN IP4 0.0.0.0\r\n"                                                   \
	"a=ice-ufrag:GHrl\r\n"                                                   \
	"a=ice-pwd:bzw+VxQ2G+tPZnlr0yPNMq7t\r\n"                                 \
	"a=ice-options:trickle\r\n"                                              \
	"a=fingerprint:sha-256 6C:6A:BD:E9:D6:7F:55:A5:14:07:25:48:90:49:8F:2F:" \
	"14:7F:BB:8D:EE:25:16:57:9D:42:C2:0E:71:A9:2F:E4\r\n"                    \
	"a=setup:actpass\r\n"                                                    \
	"a=mid:0\r\n"                                                            \
	"a=sctp-port:5000\r\n"                                                   \
	"a=max-message-size:262144\r\n"

/* Chromium 156. */
#define OFFER_CHROMIUM                                                           \
	"v=0\r\n"                                                                \
	"o=- 6803380511704615609 2 IN IP4 127.0.0.1\r\n"                         \
	"s=-\r\n"                                                                \
	"t=0 0\r\n"                                                              \
	"a=group:BUNDLE 0\r\n"                                                   \
	"a=extmap-allow-mixed\r\n"                                               \
	"a=msid-semantic: WMS\r\n"                                               \
	"m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"                   \
	"c=IN IP4 0.0.0.0\r\n"                                                   \
	"a=ice-ufrag:Kupw\r\n"                                                   \
	"a=ice-pwd:SLP0N9N9GWvCKu/wadYlEoD1\r\n"                                 \
	"a=ice-options:trickle\r\n"                                              \
	"a=fingerprint:sha-256 10:84:41:F0:CE:C6:47:5F:52:2D:8D:A4:EB:88:88:B3:" \
	"25:90:4D:D4:6A:95:B7:AF:B1:6D:A9:75:91:70:EE:87\r\n"                    \
	"a=setup:actpass\r\n"                                                    \
	"a=mid:0\r\n"                                                            \
	"a=sctp-port:5000\r\n"                                                   \
	"a=max-message-size:262144\r\n"
