import Testing
import WeirWire

@testable import WeirDissect

@Suite("QUIC dissector")
struct QUICDissectorTests {
    @Test("Opens the Initial packets of RFC 9001, and reads the hellos in them")
    func initials() throws {
        var flow = DissectionDialogue(.udp, port: 4433)
        flow.add(bytes(Self.client), .upstream)
        flow.add(bytes(Self.server), .downstream)
        #expect(
            flow.said == [
                "up 0..<1200 quic: Initial, ClientHello TLS 1.3 SNI example.com ALPN alpn "
                    + "JA4 q13d0211an_62ed6f6ca7ad_4d634acda6c0",
                "down 0..<135 quic: Initial, ServerHello TLS 1.3 TLS_AES_128_GCM_SHA256",
            ]
        )
        #expect(flow.findings == [.serverName: "example.com"])
        let message = try #require(flow.messages.first)
        #expect(message.values("quic.dcid") == ["8394c8f03e515708"])
        // The name stands where its bytes are in the packet, encrypted.
        #expect(message.fieldLines.contains("tls.handshake.extensions_server_name 84..<95 example.com"))
    }

    @Test("Says so where a packet cannot be opened, and gives up what is none")
    func others() {
        var flow = DissectionDialogue(.udp, port: 4433)
        var packet = bytes(Self.client)
        packet[600] ^= 1
        flow.add(packet, .upstream)
        #expect(flow.take() == ["up 0..<1200 quic: Initial, not opened"])
        flow.add([0x40, 1, 2, 3], .upstream)
        #expect(flow.take() == [])
        var other = DissectionDialogue(.udp, port: 443)
        other.add([0xc0, 0, 0, 0, 9] + Array(repeating: 0, count: 100), .upstream)
        #expect(other.take() == [])
    }

    @Test("Reads every prefix of an Initial")
    func prefixes() {
        let packet = bytes(Self.client)
        for count in 0..<packet.count {
            var flow = DissectionDialogue(.udp, port: 443)
            flow.add(Array(packet.prefix(count)), .upstream)
            #expect(flow.said.count <= 1)
        }
    }

    @Test("Tries to open 32 packets that it cannot, and then no more", arguments: [31, 32])
    func failures(count: Int) {
        var flow = DissectionDialogue(.udp, port: 443)
        var packet = bytes(Self.client)
        packet[1199] ^= 1
        for _ in 0..<count { flow.add(packet, .upstream) }
        #expect(flow.take().allSatisfy { $0.hasSuffix("quic: Initial, not opened") })
        flow.add(bytes(Self.client), .upstream)
        #expect(flow.take().joined().contains("SNI example.com") == (count < 32))
    }

    @Test("A server's packet is opened only after the client's has been")
    func order() {
        var flow = DissectionDialogue(.udp, port: 443)
        flow.add(bytes(Self.server), .downstream)
        flow.add(bytes(Self.client), .upstream)
        flow.add(bytes(Self.server), .downstream)
        flow.add(bytes(Self.server), .upstream)
        let said = flow.said.map { $0.split(separator: " ").prefix(5).joined(separator: " ") }
        #expect(
            said == [
                "down 0..<135 quic: Initial, not", "up 0..<1200 quic: Initial, ClientHello",
                "down 0..<135 quic: Initial, ServerHello", "up 0..<135 quic: Initial, not",
            ]
        )
    }

    /// The protected packet of RFC 9001 appendix A.2.
    private static let client = """
        c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11d242b123dc9bd8bab936b47d92ec356c0bab\
        7df5976d27cd449f63300099f3991c260ec4c60d17b31f8429157bb35a1282a643a8d2262cad67500cadb8e7378c8eb7539e\
        c4d4905fed1bee1fc8aafba17c750e2c7ace01e6005f80fcb7df621230c83711b39343fa028cea7f7fb5ff89eac2308249a0\
        2252155e2347b63d58c5457afd84d05dfffdb20392844ae812154682e9cf012f9021a6f0be17ddd0c2084dce25ff9b06cde5\
        35d0f920a2db1bf362c23e596d11a4f5a6cf3948838a3aec4e15daf8500a6ef69ec4e3feb6b1d98e610ac8b7ec3faf6ad760\
        b7bad1db4ba3485e8a94dc250ae3fdb41ed15fb6a8e5eba0fc3dd60bc8e30c5c4287e53805db059ae0648db2f64264ed5e39\
        be2e20d82df566da8dd5998ccabdae053060ae6c7b4378e846d29f37ed7b4ea9ec5d82e7961b7f25a9323851f681d582363a\
        a5f89937f5a67258bf63ad6f1a0b1d96dbd4faddfcefc5266ba6611722395c906556be52afe3f565636ad1b17d508b73d874\
        3eeb524be22b3dcbc2c7468d54119c7468449a13d8e3b95811a198f3491de3e7fe942b330407abf82a4ed7c1b311663ac698\
        90f4157015853d91e923037c227a33cdd5ec281ca3f79c44546b9d90ca00f064c99e3dd97911d39fe9c5d0b23a229a234cb3\
        6186c4819e8b9c5927726632291d6a418211cc2962e20fe47feb3edf330f2c603a9d48c0fcb5699dbfe5896425c5bac4aee8\
        2e57a85aaf4e2513e4f05796b07ba2ee47d80506f8d2c25e50fd14de71e6c418559302f939b0e1abd576f279c4b2e0feb85c\
        1f28ff18f58891ffef132eef2fa09346aee33c28eb130ff28f5b766953334113211996d20011a198e3fc433f9f2541010ae1\
        7c1bf202580f6047472fb36857fe843b19f5984009ddc324044e847a4f4a0ab34f719595de37252d6235365e9b84392b0610\
        85349d73203a4a13e96f5432ec0fd4a1ee65accdd5e3904df54c1da510b0ff20dcc0c77fcb2c0e0eb605cb0504db87632cf3\
        d8b4dae6e705769d1de354270123cb11450efc60ac47683d7b8d0f811365565fd98c4c8eb936bcab8d069fc33bd801b03ade\
        a2e1fbc5aa463d08ca19896d2bf59a071b851e6c239052172f296bfb5e72404790a2181014f3b94a4e97d117b438130368cc\
        39dbb2d198065ae3986547926cd2162f40a29f0c3c8745c0f50fba3852e566d44575c29d39a03f0cda721984b6f440591f35\
        5e12d439ff150aab7613499dbd49adabc8676eef023b15b65bfc5ca06948109f23f350db82123535eb8a7433bdabcb909271\
        a6ecbcb58b936a88cd4e8f2e6ff5800175f113253d8fa9ca8885c2f552e657dc603f252e1a8e308f76f0be79e2fb8f5d5fbb\
        e2e30ecadd220723c8c0aea8078cdfcb3868263ff8f0940054da48781893a7e49ad5aff4af300cd804a6b6279ab3ff3afb64\
        491c85194aab760d58a606654f9f4400e8b38591356fbf6425aca26dc85244259ff2b19c41b9f96f3ca9ec1dde434da7d2d3\
        92b905ddf3d1f9af93d1af5950bd493f5aa731b4056df31bd267b6b90a079831aaf579be0a39013137aac6d404f518cfd468\
        40647e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241e221af44860018ab0856972e194cd934\

        """
    /// The protected packet of RFC 9001 appendix A.3.
    private static let server = """
        cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a5816b6394100f37a1c69797554780bb38cc5\
        a99f5ede4cf73c3ec2493a1839b3dbcba3f6ea46c5b7684df3548e7ddeb9c3bf9c73cc3f3bded74b562bfb19fb84022f8ef4\
        cdd93795d77d06edbb7aaf2f58891850abbdca3d20398c276456cbc42158407dd074ee\

        """
}
