/* Avatar data as the protocol document prints it (04 sections 3.8 and 4), and as a server of 2021
 * sent it. Those of section 3.8 are what the SDK's own writer produced. */
#pragma once

#include "../net/hex.h"

/* 3.8 A1: position, yaw 45°, scale, loudness, three joints. */
#define A1_SECTIONS                                                  \
	"0000803f 00000040 000060c0 bfff9d5c3fff cc0c ab"            \
	"03 05 bfffbfff3fff bfff9d5c3fff 01 0000803f 0020 0040 00f0" \
	"03 02 06"
#define A1 "0100 2d30" A1_SECTIONS

/* 3.8 A2: the SDK's idle packet, no skeleton. */
#define A2_SECTIONS "0000803f 00000040 000060c0 00 6f12833a 00"
#define A2          "0201 0130" A2_SECTIONS

#define SESSION_1 "11111111222233334444555555555555"
#define SESSION_A "aaaaaaaabbbbccccddddeeeeeeeeeeee"

/* 4 B1, without its second avatar. */
#define B1_RECORD SESSION_1 "2d30" A1_SECTIONS
/* 4 B2: the joints of A1 in two records. */
#define B2_FIRST  "0110 0000803f00000040000060c0 03 01 bfffbfff3fff 00 6f12833a"
#define B2_SECOND "0030 03 04 bfff9d5c3fff 01 0000803f 0020004000f0 03 02 06"

/* 4 B3, captured: 69 joints, of which five rotations and one translation changed. */
#define B3_SESSION "5ea4674e121e47dd9016bcefecc9f312"
#define B3_REST                                                                                  \
	"1130 8cf892bf7e2f7d3f61b65b41 276f8dc03e14c73f0897ae40"                                 \
	"45 000020000000f00000 2dc406ad57f6 7c20c89544fc 7aedc0913b2c 78c9b97634da 78eebadc3327" \
	"040000000000000000 366ec942 62ff0040c6ff 45 030000000000000000 fbffffffffffffff1f"

/* 4 B4: every section, one per line. */
#define B4_REST                                                 \
	"ff7f"                                                  \
	"0000803f0000004000004040"                              \
	"9a99193f6666e63fcdcccc3e9a99993e00000000cdcc4c3e"      \
	"bfffbfff3fff"                                          \
	"cc0c"                                                  \
	"0000803f0000004000000000"                              \
	"ab"                                                    \
	"bfffbfff3fff 0004 000000000000000000000000"            \
	"f800"                                                  \
	"aaaaaaaabbbbccccddddeeeeeeeeeeee ffff"                 \
	"cdcccc3dcdcc4c3e9a99993e"                              \
	"bfffbfff3fff 000100020003 bfffbfff3fff 00f000020003"   \
	"0000000000000000 0000003f00000000 02 0000803e0000803f" \
	"01 01 bfffbfff3fff 01 0000803f 004000000000" ZEROS_84 "01 00 00"
#define ZEROS_28 "00000000000000000000000000000000000000000000000000000000"
#define ZEROS_84 ZEROS_28 ZEROS_28 ZEROS_28

/* Captured records without their 16 bytes of UUID: most joints moving, far grab, orientation. */
#define CAPTURE_MOVING_1                                                                       \
	"1130c2e3e7bf89aa7a3f3e9c06413469e6c5836ad33f9f5ff9c6451cfbffffffffffff1fbefcc8203b64" \
	"4812c08742373805c01642884830becc39fa3d61c3693946c96401593814c96401593814c2f0c61b4169" \
	"c42ec45d4084c2f9c2a43f710e27e87918c2478d04f13a92430114aa3a6b435c0d12421736c00e2f51f9" \
	"2fd810245d862c5114c369a9236f0f5a633238a80da24daa2fc00fbf5b432b34142d67ff26e6119a64fb" \
	"3c510d3f433836450ea84ff330de0f19542032a10f9a555026981402416738c1198c43034b5914403c2c" \
	"65cd15a34b953b420d394a49317d0e11544a2eb31296633f2e2e125062e516fc6e7c15a4379a7783397f" \
	"3c6d6bd137103fcb7bc33cfe4df5799f4c2555f476d657155a8e719e630362f5760d5baf4ba87a604809" \
	"55e5775154bd5b70721d61485f87743c5dd6470c7b1f3dec4e5e793a49f5541678454da1527077e94f03" \
	"5a4d72e039cf4a416e9a3a9239e5751a384820f974764b4548c27aff44f0539179434dd8579d743b5cbd" \
	"581e74745c54bf48c2ba3f0fc0acbc8e3ee8bff5bca73eedbff5bca73eedc0acbc8e3ee8040000000000" \
	"0000001714ca421a040040520045030000000000000000fbffffffffffffff1f"
#define CAPTURE_GRAB                                                                           \
	"117030e75ac0ffec9cc2ec9e10c0fc69cc46c4329cc2590f9a46b0000000000000808080003002600000" \
	"00000000000000ef45b69b6526ed93ae3767bcc90294c46b3ef03ab60e6369ea57ac2b6a21d0a58e7969" \
	"15ca8793c36a4fcc5c8d7269fd0c0000000000000000000000000000000000000000000dff213f1401ff" \
	"3f34e71401004034e70000000000000000000000000000803f0000000000000000000000000000000000" \
	"000000000000000000803f000000000000000000000000ee43b5434ac9b93f52531ec49c4a333f951956" \
	"be8222293fa53a2f3eb0f3070000000000000000000000000000000000000000f3ffffffffffffffffff" \
	"ffffffffffffffffffffffff"
#define CAPTURE_ORIENTATION                                                                    \
	"15304181d2c0948c823faf3ee140bfffb7c43fff531982c44eabd23fbdd1ffc62a00feffffff03c365ba" \
	"ed40983b35a6e13c5a5234c11547554a039f433efdc91601023af5c91601023af53aaec23745863526eb" \
	"48429531b6caae3bec30fba57c425130fba57c4251bc9bc5863effbe10c55c3e9cbe7fc6ca3e1d157af1" \
	"e320550d45d9e23e570394c9ee335a023ac4dc2c2c37b100e435a2225505d44d9118160be05a1f18160b" \
	"e05a1f15246c6c16b939c86d222c6055ab642c23a85fd959431e80661353a928f768ef461f46ba67fe3e" \
	"c555d467fe3ec555d4bea1c5fb3df0c219c2183f9ec219c2183f9e00020200000059c4c5422c0000405e" \
	"fe00004f1b00002aff0100000000fffdfdffff03"
#define CAPTURE_MOVING_2                                                                       \
	"1130ec4a90c0aa49793f5d63ad408c8b96bf41c9d33f229d5a41451ce7ffffffffffff1fbffdbf5c3f4c" \
	"3f55b93e42e73addc4d342df3f76bcfb38a04eb3c46b39d9501ca4593b79c246bf8c3f76c43ec0673f90" \
	"c33ec1413fc4162eecdb16410085c715390c3d820c6a325a3e2606773e5e38ac08164ee02d650a735c0e" \
	"233b10366b3b0bea9b94641d368a082e4c892deb0b785b1d268f0e6e643722820c2060d23d98064645ca" \
	"36a3078d52363511085655bf36b608e257192ae01a0339b3287b1e443b0734ec1e3342305275210e4dc5" \
	"38d506ff499d2fbf0a3a5aac268f0e0d663126190dc165cd19de7041133736467b863b533eda772c34c7" \
	"3ef06e543b7c3c066f114fec44946f275d094b116c246c7d540271f565d740396d5850a446f26c205f35" \
	"4d2d68f46d8651896beb6aab3ba06f01435044566e37592946d16cf960fb45116c26621450d05e5d4266" \
	"57cd60c240084d0a6073444c2f2e5ceb4f553f916e2d4bef465d6cb45f094d906ac76aff4e156b1d6aa9" \
	"be5bc334416ec259c47f4187bfe4cdeb40dfbfe1cd7340e6c259c47f418704000000000000000055bac9" \
	"4217040040c6ff45030000000000000000fbffffffffffffff1f"
