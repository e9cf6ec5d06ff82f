import Support
import Testing

@Suite("Following flows", .tags(.capture), .timeLimit(.minutes(1)))
struct FollowShowTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func datagrams() throws -> String {
        var capture = MadeCapture()
        capture.udp((9, 10), "other")
        capture.udp((5000, 5001), "first", at: 1)
        capture.udp((5000, 5001), isDown: true, "reply", at: 2)
        capture.udp((5000, 5001), "second one", at: 3, cutting: 4)
        capture.udp((5000, 5001), isDown: true, "", at: 4)
        capture.udp((5000, 5001), "3", at: 5)
        return try folder.file("udp.pcap", capture.bytes)
    }

    private func stream() throws -> String {
        var capture = MadeCapture()
        capture.tcp((5000, 80), flags: 2, sequence: 99, at: 1)
        capture.tcp((5000, 80), isDown: true, flags: 18, sequence: 199, at: 2)
        capture.tcp((5000, 80), flags: 16, sequence: 100, "abc", at: 3)
        capture.tcp((5000, 80), flags: 16, sequence: 106, "ghi", at: 4)
        capture.tcp((5000, 80), isDown: true, flags: 17, sequence: 200, "answer", at: 5)
        return try folder.file("tcp.pcap", capture.bytes)
    }

    @Test("Datagrams of a flow are shown with their offsets, and what was cut off them")
    func showsDatagrams() async throws {
        let path = try datagrams()
        let text = try await shown([path, "--follow", "2", "--as", "text"])
        let lines = [
            "22:13:20.000001 #2 up    5 bytes @0", "  | first", "22:13:20.000002 #2 down  5 bytes @0", "  | reply",
            "22:13:20.000003 #2 up    6 bytes @5", "  | second",
            "22:13:20.000003 #2 up    4 bytes @11  cut off by the "
                + "capture's limit on packets", "22:13:20.000004 #2 down  0 bytes @5",
            "22:13:20.000005 #2 up    1 byte @15",
            "  | 3",
        ]
        #expect(text.status == 0 && text.errors == "" && text.output == lines.joined(separator: "\n") + "\n")
        let raw = try await shown([path, "--follow", "2"])
        #expect(raw.output == "firstreplysecond3" && raw.errors == "")
        #expect(try await shown([path, "--follow", "2", "--only", "down"]).output == "reply")
        #expect(try await shown([path, "--follow", "2", "--only", "up"]).output == "firstsecond3")
        #expect(try await shown([path, "--follow", "1"]).output == "other")
        let none = try await shown([path, "--follow", "3"])
        #expect(none.status == 1 && none.errors == "weir: there is no flow 3: the capture has 2\n" && none.output == "")
    }

    @Test("As JSON each datagram is an object, and what was cut off it another one")
    func showsObjects() async throws {
        let ended = try await shown([try datagrams(), "--follow", "2", "--json"])
        let objects = try LogLines(Array(ended.output.utf8)).objects
        let texts = objects.map { object in
            let names = ["event", "direction", "offset", "length"]
            return names.map { object[$0].map { "\($0)" } ?? "-" }.joined(separator: " ")
        }
        #expect(
            texts == [
                "data upstream 0 5", "data downstream 0 5", "data upstream 5 6", "gap upstream 11 4",
                "data downstream 5 0",
                "data upstream 15 1",
            ],
            "\(ended.output)"
        )
        #expect(objects.allSatisfy { $0["flow"] as? Int == 2 })
    }

    @Test("A stream that is not whole is told of at its end: in the text, or on standard error beside raw bytes")
    func showsStreams() async throws {
        let path = try stream()
        let raw = try await shown([path, "--follow", "1"])
        #expect(raw.output == "answerabcghi" || raw.output == "abcanswerghi", "\(raw.output)")
        #expect(raw.errors.split(separator: "\n").allSatisfy { $0.hasPrefix("weir: #1 ") }, "\(raw.errors)")
        #expect(raw.errors.hasPrefix("weir: #1 up ") && raw.status == 0)
        #expect(try await shown([path, "--follow", "1", "--only", "up"]).output == "abcghi")
        let down = try await shown([path, "--follow", "1", "--only", "down"])
        #expect(down.output == "answer" && !down.errors.contains("#1 up"))
        let text = try await shown([path, "--follow", "1", "--as", "text", "--only", "up"])
        let lines = text.output.split(separator: "\n").map(String.init)
        #expect(text.errors == "" && lines.first == "22:13:20.000003 #1 up    3 bytes @0" && lines[1] == "  | abc")
        let rest = [
            "22:13:20.000003 #1 up    3 bytes @3  not captured", "22:13:20.000004 #1 up    3 bytes @6", "  | ghi",
            "#1 up    6 bytes in 2 segments", "#1 up    1 segment out of order",
            "#1 up    3 bytes not captured: @3-5",
        ]
        #expect(Array(lines.dropFirst(2)) == rest)
        let hex = try await shown([path, "--follow", "1", "--as", "hex", "--only", "down"])
        #expect(
            hex.output.contains("00000000  61 6e 73 77 65 72 ")
                && hex.output.contains("\n#1 down  6 bytes in 1 segment")
        )
        let json = try LogLines(Array(try await shown([path, "--follow", "1", "--json"]).output.utf8))
        #expect(json.all("report").map { $0["direction"] as? String } == ["upstream", "downstream"])
        #expect(json.all("report").allSatisfy { $0["flow"] as? Int == 1 })
    }

    @Test("A flow whose client is known only later is turned round, with what was seen of it before")
    func turns() async throws {
        var capture = MadeCapture()
        capture.tcp((5000, 80), isDown: true, flags: 16, sequence: 900, "answer", at: 1)
        capture.tcp((5000, 80), isDown: true, flags: 18, sequence: 899, at: 2)
        capture.tcp((5000, 80), flags: 16, sequence: 500, "question", at: 3)
        capture.tcp((5000, 80), isDown: true, flags: 16, sequence: 906, "more", at: 4)
        let path = try folder.file("turned.pcap", capture.bytes)
        let up = try await shown([path, "--follow", "1", "--only", "up"])
        let down = try await shown([path, "--follow", "1", "--only", "down"])
        #expect(up.output == "question" && down.output == "answermore", "\(up.output) \(down.output)")
    }

    @Test("The last flow of a capture is followed, as the first is")
    func followsLast() async throws {
        var capture = MadeCapture()
        for number in 1...3 { capture.udp((number, 9), "flow \(number)") }
        let path = try folder.file("three.pcap", capture.bytes)
        for number in 1...3 { #expect(try await shown([path, "--follow", "\(number)"]).output == "flow \(number)") }
        #expect(try await shown([path, "--follow", "4"]).status == 1)
    }
}
