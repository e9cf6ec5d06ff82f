import Testing
import WeirDissect

@Suite("What a ClientHello says")
struct ClientHelloTests {
    /// The parts of a ClientHello that matter here.
    private struct Parts {
        var name: [UInt8]?
        var ciphers: [UInt16] = [0x1301]
        var groups: [UInt16]?
        var signatures: [UInt16]?
        var protocols: [String] = []
        var others: [(type: UInt16, data: [UInt8])] = []
    }

    private static func block(_ bytes: [UInt8], _ size: Int) -> [UInt8] {
        (0..<size).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
    }

    private static func bytes(_ numbers: [UInt16]) -> [UInt8] {
        numbers.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] }
    }

    private static func hello(_ parts: Parts) throws -> ClientHello {
        func part(_ type: UInt16, _ data: [UInt8]) -> [UInt8] { bytes([type]) + block(data, 2) }
        var extensions: [UInt8] = []
        if let name = parts.name { extensions += part(0, block([0] + block(name, 2), 2)) }
        if let groups = parts.groups { extensions += part(10, block(bytes(groups), 2)) }
        if let signatures = parts.signatures { extensions += part(13, block(bytes(signatures), 2)) }
        if !parts.protocols.isEmpty {
            extensions += part(16, block(parts.protocols.flatMap { block(Array($0.utf8), 1) }, 2))
        }
        for other in parts.others { extensions += part(other.type, other.data) }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + block(bytes(parts.ciphers), 2) + [1, 0]
            + block(extensions, 2)
        let message = [1] + block(body, 3)
        var gate = HelloGate()
        let record = [22, 3, 1] + block(message, 2)
        guard case .hello(let hello) = gate.feed(record.span.bytes) else { throw None() }
        return hello
    }

    private struct None: Error {}

    /// A client, and whether a certificate with a P-256 key suits it.
    struct Client: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var ciphers: [UInt16]
        var groups: [UInt16]?
        var signatures: [UInt16]?
        var takesECDSA: Bool

        init(
            _ name: String,
            _ ciphers: [UInt16],
            groups: [UInt16]? = [29, 23],
            signatures: [UInt16]? = [0x0403, 0x0804, 0x0401],
            _ takesECDSA: Bool
        ) {
            testDescription = name
            (self.ciphers, self.groups, self.signatures) = (ciphers, groups, signatures)
            self.takesECDSA = takesECDSA
        }
    }

    private static let clients = [
        Client("TLS 1.3", [0x1301, 0x1302], true),
        Client("TLS 1.3, no P-256 in the key exchange", [0x1301], groups: [29], true),
        Client("TLS 1.3, RSA alone", [0x1301], signatures: [0x0804], false),
        Client("TLS 1.3, ECDSA with P-384 alone", [0x1301], signatures: [0x0503, 0x0804], false),
        Client("both versions", [0x0a0a, 0x1301, 0xc02b, 0xc02f, 0x00ff], true),
        Client("both versions, TLS 1.2 with RSA alone", [0x1301, 0xc02f], false),
        Client(
            "both versions, RSA's cipher suites, but not its signatures",
            [0x1301, 0xc02f],
            signatures: [0x0403],
            true
        ),
        Client("TLS 1.2", [0xc02b, 0xc02f, 0x00ff], true),
        Client("TLS 1.2, RSA's suites alone", [0xc02f, 0x009c, 0x00ff], false),
        Client("TLS 1.2, no P-256", [0xc02b, 0xc02f], groups: [29, 24], false),
        Client("TLS 1.2, no list of groups", [0xc02b, 0xc02f], groups: nil, true),
        Client("TLS 1.2, ECDSA's suites alone", [0xcca9], signatures: [0x0403], true),
        Client("TLS 1.1", [0xc009, 0xc013, 0x002f], signatures: nil, false),
        Client("TLS 1.1, ECDSA alone", [0xc009, 0xc00a, 0x00ff], signatures: nil, true),
        Client("TLS 1.0, RSA's key exchange", [0x002f, 0x0035], groups: nil, signatures: nil, false),
    ]

    @Test("A certificate with an ECDSA key is for clients that take it in each of their versions", arguments: clients)
    func certificates(client: Client) throws {
        let parts = Parts(ciphers: client.ciphers, groups: client.groups, signatures: client.signatures)
        #expect(try Self.hello(parts).takesECDSA == client.takesECDSA)
    }

    @Test("A key share of a post-quantum group makes it long, and changes nothing else")
    func postQuantum() throws {
        let share: [UInt8] = Self.bytes([0x11ec]) + Self.block([UInt8](repeating: 3, count: 1216), 2)
        let other: [UInt8] = Self.bytes([29]) + Self.block([UInt8](repeating: 4, count: 32), 2)
        let parts = Parts(
            name: Array("example.com".utf8),
            groups: [0x11ec, 29],
            others: [(51, Self.block(share + other, 2)), (43, [2, 3, 4])]
        )
        let hello = try Self.hello(parts)
        #expect(hello.groups == [0x11ec, 29] && hello.serverName == "example.com" && hello.version == 0x0304)
    }

    @Test("An encrypted hello and early data are seen")
    func marks() throws {
        let encrypted = try Self.hello(Parts(others: [(0xfe0d, [0, 0, 1, 0, 1, 5, 0, 0])]))
        #expect(encrypted.hasEncryptedHello && !encrypted.hasEarlyData)
        let early = try Self.hello(Parts(others: [(42, [])]))
        #expect(!early.hasEncryptedHello && early.hasEarlyData)
    }

    @Test("All protocols are there, in their order")
    func protocols() throws {
        let names = (0..<80).map { "p\($0)" }
        #expect(try Self.hello(Parts(protocols: names)).protocols == names.map { Array($0.utf8) })
    }

    @Test(
        "A name is what the client sent, whatever that is",
        arguments: ["UPPER.Example", "a.", "*.x", "a\0b", "", "_a"]
    )
    func names(name: String) throws {
        #expect(try Self.hello(Parts(name: Array(name.utf8))).serverName == name)
        let long = String(repeating: "a", count: 5000)
        #expect(try Self.hello(Parts(name: Array(long.utf8))).serverName == long)
    }
}
