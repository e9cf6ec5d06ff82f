import Testing
import WeirAnalysis
import WeirDissect
import WeirWire

@Suite("Files of TFTP and FTP")
struct TransferredFileTests {
    // MARK: - TFTP

    private static let asked = MadeTraffic.Ports(client: 2000, server: 69)
    private static let data = MadeTraffic.Ports(client: 2000, server: 3000)

    private static func request(_ code: UInt8, _ name: String, _ options: [String] = []) -> [UInt8] {
        [0, code] + ([name, "octet"] + options).flatMap { Array($0.utf8) + [0] }
    }

    private static func block(_ number: UInt16, _ bytes: [UInt8]) -> [UInt8] {
        [0, 3, UInt8(number >> 8), UInt8(number & 255)] + bytes
    }

    private static func tftp(_ traffic: MadeTraffic) -> [TransferredFile] {
        var files = TFTPFiles()
        var found: [TransferredFile] = []
        traffic.read { _, bytes, flows in files.add(bytes, in: flows) { found.append($0) } }
        files.finish { found.append($0) }
        return found
    }

    @Test("A file that is read comes from another port than the one that was asked", arguments: [0, 1, 511, 512, 1300])
    func read(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var traffic = MadeTraffic()
        traffic.datagram(Self.asked, .upstream, Self.request(1, "boot/a.bin"))
        for number in 0...(count / 512) {
            let part = Array(bytes[(number * 512)..<min(number * 512 + 512, count)])
            traffic.datagram(Self.data, .downstream, Self.block(UInt16(number + 1), part))
            // Blocks are sent again if their acknowledgements are late.
            traffic.datagram(Self.data, .downstream, Self.block(UInt16(number + 1), part))
            traffic.datagram(Self.data, .upstream, [0, 4, 0, UInt8(number + 1)])
        }
        let found = Self.tftp(traffic)
        #expect(found.map(\.name) == ["boot/a.bin"] && found.map(\.place) == [0])
        #expect(found.first?.bytes == bytes && found.first?.isWhole == true && found.first?.isUpload == false)
    }

    @Test("A file that is written comes from the client, in blocks of the size that both agreed on")
    func written() {
        var traffic = MadeTraffic()
        traffic.datagram(Self.asked, .upstream, Self.request(2, "up", ["BLKSIZE", "1000"]))
        traffic.datagram(Self.data, .downstream, [0, 6] + Array("blksize\u{0}1000\u{0}".utf8))
        traffic.datagram(Self.data, .upstream, Self.block(1, [UInt8](repeating: 1, count: 1000)))
        traffic.datagram(Self.data, .upstream, Self.block(2, [2]))
        let found = Self.tftp(traffic)
        #expect(found.map(\.bytes.count) == [1001] && found.first?.isUpload == true && found.first?.hasEnd == true)
    }

    @Test("Blocks that are missing are zeros, numbers begin again after 65,535, and an end may be missing")
    func gaps() {
        var traffic = MadeTraffic()
        traffic.datagram(Self.asked, .upstream, Self.request(1, "a", ["blksize", "8"]))
        traffic.datagram(Self.data, .downstream, [0, 6] + Array("blksize\u{0}8\u{0}".utf8))
        let block = [UInt8](repeating: 7, count: 8)
        for number in 1...65_537 where number != 3 {
            traffic.datagram(Self.data, .downstream, Self.block(UInt16(truncatingIfNeeded: number), block))
        }
        let found = Self.tftp(traffic)
        #expect(found.count == 1 && found.first?.bytes.count == 65_537 * 8)
        #expect(found.first?.missing == 8 && found.first?.bytes[15...24] == [7, 0, 0, 0, 0, 0, 0, 0, 0, 7])
        #expect(found.first?.hasEnd == false)
    }

    @Test(
        "What is no request begins nothing",
        arguments: [
            [0, 1], [0, 1, 0, 0], [0, 1, 97, 0, 98, 0], [0, 1, 97, 0], [0, 3, 0, 1, 1], [0, 6, 0, 0], [1, 1, 97, 0],
        ] as [[UInt8]]
    )
    func others(bytes: [UInt8]) {
        var traffic = MadeTraffic()
        traffic.datagram(Self.asked, .upstream, bytes)
        traffic.datagram(Self.data, .downstream, Self.block(1, [1]))
        #expect(Self.tftp(traffic).isEmpty)
    }

    // MARK: - FTP

    private static let control = MadeTraffic.Ports(client: 4000, server: 21)
    private static let passive = MadeTraffic.Ports(client: 4001, server: 50_069)
    private static let active = MadeTraffic.Ports(client: 20, server: 4002, isReversed: true)

    private static func ftp(_ traffic: MadeTraffic) -> [TransferredFile] {
        var files = FTPFiles()
        var found: [TransferredFile] = []
        traffic.read { packet, bytes, flows in files.add(packet, bytes, in: flows) { found.append($0) } }
        files.finish { found.append($0) }
        return found
    }

    @Test(
        "A file is read over the connection that the server or the client announced",
        arguments: [
            (.downstream, "227 Entering Passive Mode (10,0,0,2,195,149).", passive),
            (.downstream, "227 Entering Passive Mode (192,168,1,1,195,149)", passive),
            (.downstream, "229 Entering Extended Passive Mode (|||50069|)", passive),
            (.upstream, "PORT 10,0,0,1,15,162", active), (.upstream, "EPRT |1|10.0.0.1|4002|", active),
        ] as [(Direction, String, MadeTraffic.Ports)]
    )
    func announced(direction: Direction, line: String, ports: MadeTraffic.Ports) {
        for isUpload in [false, true] {
            var traffic = MadeTraffic()
            traffic.open(Self.control)
            traffic.send(.downstream, "220 Welcome\r\n", Self.control)
            // In pieces of any size.
            traffic.send(direction, Array("\(line)\r\n".utf8), cutAt: [1, 7, 20], Self.control)
            traffic.open(ports)
            traffic.send(.upstream, "\(isUpload ? "STOR" : "RETR") dir/a b.txt\r\n", Self.control)
            // The one who sends is the server of the file, which is the client of an active connection.
            let sender: Direction = isUpload == ports.isReversed ? .downstream : .upstream
            traffic.send(sender, "the ", ports)
            traffic.send(sender, "file", ports)
            traffic.finish(ports)
            let found = Self.ftp(traffic)
            #expect(found.map(\.name) == ["dir/a b.txt"] && found.map(\.isUpload) == [isUpload], "\(line)")
            #expect(found.first.map { String(decoding: $0.bytes, as: UTF8.self) } == "the file", "\(line)")
            #expect(found.first?.isWhole == true && found.first?.place == 0, "\(line)")
        }
    }

    @Test("Listings are no files; a connection that does not end gives what there is")
    func listing() {
        var traffic = MadeTraffic()
        traffic.open(Self.control)
        for (command, port) in [("LIST", UInt16(50_001)), ("RETR a", 50_002)] {
            traffic.send(.downstream, "229 Extended (|||\(port)|)\r\n", Self.control)
            let ports = MadeTraffic.Ports(client: port, server: port)
            traffic.open(ports)
            traffic.send(.upstream, "\(command)\r\n", Self.control)
            traffic.send(.downstream, "bytes of \(command)", ports)
        }
        let found = Self.ftp(traffic)
        #expect(found.map(\.name) == ["a"] && found.first?.hasEnd == false)
        #expect(found.first?.bytes == Array("bytes of RETR a".utf8))
    }

    @Test("A greeting tells a control connection on another port")
    func greeting() {
        let other = MadeTraffic.Ports(client: 4000, server: 2121)
        var traffic = MadeTraffic()
        traffic.open(other)
        traffic.send(.downstream, "220-Hello\r\n220 there\r\n", other)
        traffic.send(.downstream, "229 x (|||50069|)\r\n", other)
        traffic.open(Self.passive)
        traffic.send(.upstream, "RETR a\r\n", other)
        traffic.send(.downstream, "x", Self.passive)
        traffic.finish(Self.passive)
        #expect(Self.ftp(traffic).map(\.name) == ["a"])
    }
}
