import Support
import Testing
import WeirWire

@Suite("Captures of the corpus", .tags(.slow))
struct CaptureCorpusTests {
    /// The captures of which capinfos 4.0 says something else, with what they hold.
    private static let exceptions: [String: (reason: String, figures: Capinfos.Figures)] = [
        "tcpdump/atm-heapoverflow.pcap": (
            "capinfos takes the 4 bytes of SunATM's header off a packet",
            .init(packets: 1, bytes: 262_144, first: "84.999999", last: "84.999999")
        ),
        "tcpdump/atm-oam-heapoverflow.pcap": (
            "capinfos takes the 4 bytes of SunATM's header off a packet",
            .init(packets: 1, bytes: 262_144, first: "808464432.999999", last: "808464432.999999")
        ),
        "tcpdump/atm-oam-loopback-print-overrun.pcap": (
            "1,159,821,166 microseconds overflow in capinfos, and it takes 4 bytes off a packet",
            .init(packets: 1, bytes: 65_622, first: "1544489736.821166", last: "1544489736.821166")
        ),
        "tcpdump/bgp_vpn_rt-oobr.pcap": (
            "capinfos compares seconds in 32 bits, and these are further apart",
            .init(packets: 38, bytes: 524_288, first: "0.000000", last: "4294901760.000128")
        ),
        "tcpdump/olsr-oobr-2.pcap": (
            "capinfos compares seconds in 32 bits, and these are further apart",
            .init(packets: 3, bytes: 786_432, first: "0.999999", last: "4294934285.999999")
        ),
        "tcpdump/pim_header_asan-2.pcap": (
            "capinfos compares seconds in 32 bits, and these are further apart",
            .init(packets: 3, bytes: 524_288, first: "4.999999", last: "2521431551.000004")
        ),
        "tcpdump/rx_serviceid_oobr.pcap": (
            "3,841,916,976 microseconds overflow in capinfos",
            .init(packets: 3, bytes: 524_288, first: "3841.916976", last: "2145916800.000000")
        ),
        "tcpdump/timestamp_invalid_micro.pcap": (
            "2,147,483,648 microseconds overflow in capinfos",
            .init(packets: 3, bytes: 220, first: "1418145369.999999", last: "1418147517.483648")
        ),
        "tcpdump/timestamp_invalid_nano.pcap": (
            "2,147,483,648 nanoseconds overflow in capinfos",
            .init(packets: 3, bytes: 220, first: "1418145369.999999999", last: "1418145372.147483648")
        ),
    ]

    /// The captures whose link type capinfos 4.0 does not know: it is asked about a copy that says Ethernet.
    private static let unknownToCapinfos: Set = [
        "tcpdump/brcm-tag-prepend.pcap", "tcpdump/brcm-tag.pcap", "tcpdump/dsa-high-vid.pcap", "tcpdump/dsa.pcap",
        "tcpdump/edsa-high-vid.pcap", "tcpdump/edsa.pcap", "tcpdump/frf16_magic_ie-oobr.pcap",
        "tcpdump/hoobr_juniper3.pcap", "tcpdump/juniper_es_oobr.pcap",
        "tcpdump/juniper_monitor_invalid_cookie_length.pcap", "tcpdump/kday6.pcap", "tcpdump/vtp_asan-2.pcap",
        "tcpdump/vtp_asan-3.pcap", "tcpdump/vtp_asan.pcap",
    ]

    @Test("Packets, bytes and times are those of capinfos", .needsCorpus, .needsProgram("capinfos"))
    func capinfos() throws {
        let files = try Corpus.files()
        let corpus = try #require(Corpus.folder)
        let said = try Capinfos.run(files.map { "\(corpus)/\($0)" })
        for file in files where !Self.unknownToCapinfos.contains(file) {
            let theirs = try #require(said["\(corpus)/\(file)"], "capinfos says nothing of \(file)")
            #expect(!theirs.complains, "\(file)")
            let ours = Reading.summary(try Corpus.read(file))
            #expect(ours.error == nil, "\(file)")
            if let exception = Self.exceptions[file] {
                #expect(ours.figures(like: exception.figures) == exception.figures, "\(file)")
                #expect(theirs.figures != exception.figures, "\(file) is no exception: \(exception.reason)")
            } else {
                #expect(ours.figures(like: theirs.figures) == theirs.figures, "\(file)")
            }
        }
        #expect(files.count >= 1636)
        #expect(Set(Self.exceptions.keys).union(Self.unknownToCapinfos).isSubset(of: files))
    }

    @Test("So are those of link types that capinfos does not know", .needsCorpus, .needsProgram("capinfos"))
    func unknownLinkTypes() throws {
        let corpus = try #require(Corpus.folder)
        let folder = try TemporaryFolder()
        var copies: [String: String] = [:]
        for file in Self.unknownToCapinfos {
            var bytes = try Corpus.read(file)
            // The link type is in the last four bytes of the header; 1 is Ethernet.
            bytes.replaceSubrange(20..<24, with: bytes[0] == 0xa1 ? [0, 0, 0, 1] : [1, 0, 0, 0])
            copies[file] = try folder.file(file.split(separator: "/").joined(separator: "-"), bytes)
        }
        let refused = try Capinfos.run(Self.unknownToCapinfos.map { "\(corpus)/\($0)" })
        let said = try Capinfos.run(Array(copies.values))
        for (file, copy) in copies {
            #expect(refused["\(corpus)/\(file)"]?.figures == nil, "\(file) is no exception: capinfos reads it")
            let theirs = try #require(said[copy]?.figures, "\(file)")
            let ours = Reading.summary(try Corpus.read(file))
            #expect(ours.error == nil, "\(file)")
            #expect(ours.figures(like: theirs) == theirs, "\(file)")
        }
    }

    @Test("A capture that comes in pieces of any size gives what a mapped one gives", .needsCorpus)
    func pieces() throws {
        for (index, file) in try Corpus.files().enumerated() {
            let bytes = try Corpus.read(file)
            let whole = Reading.items(bytes)
            var generator = SeededGenerator(seed: UInt64(index))
            let inPieces = Reading.items(bytes) { Int.random(in: 1...[16, 1000, 70_000][$0 % 3], using: &generator) }
            #expect(whole == inPieces, "\(file)")
            #expect(whole.error == nil)
        }
    }

    @Test("A capture that is cut gives the packets that capinfos finds before", .needsCorpus, .needsProgram("capinfos"))
    func cut() throws {
        let folder = try TemporaryFolder()
        var generator = SeededGenerator(seed: 5)
        var ours: [String: CaptureSummary] = [:]
        for (index, file) in try Corpus.files().enumerated() where !Self.unknownToCapinfos.contains(file) {
            let bytes = try Corpus.read(file)
            guard bytes.count > 100 else { continue }
            let cut = Array(bytes[..<Int.random(in: 100..<min(bytes.count, 20_000), using: &generator)])
            let summary = Reading.summary(cut)
            // Where it cannot read the first packets, capinfos tries other formats, and finds packets that are none.
            let isPcapng = cut.starts(with: [0x0a, 0x0d])
            if isPcapng ? summary.error?.offset == 0 : summary.packets < 3 { continue }
            ours[try folder.file("\(index)", cut)] = summary
        }
        let said = try Capinfos.run(Array(ours.keys))
        for (path, ours) in ours {
            let theirs = try #require(said[path])
            #expect(theirs.complains == (ours.error != nil), "\(path)")
            #expect((theirs.packetsBefore ?? theirs.figures?.packets ?? 0) == ours.packets, "\(path)")
        }
        #expect(ours.values.count { $0.error != nil } > 700)
    }
}
