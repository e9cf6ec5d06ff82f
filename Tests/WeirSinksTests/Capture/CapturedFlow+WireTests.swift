import Support
import Testing
import WeirEngine
import WeirSinks
import WeirWire

@Suite("What was on the wire, in a capture")
struct CapturedFlowWireTests {
    private static let beginning = FlowPath(client: Playbook.path.client, listener: Playbook.path.listener)

    /// Begins a flow of which the sockets are recorded.
    private func opened(_ change: (inout CaptureSettings) -> Void = { _ in }) -> CaptureDialogue {
        var dialogue = CaptureDialogue {
            $0.tls = .cipher
            change(&$0)
        }
        dialogue.tell(.wire(.opened), path: Self.beginning)
        dialogue.open()
        return dialogue
    }

    @Test("Each leg has its own stream and its own ends; the flow's chunks and ends are in it already")
    func legs() throws {
        var dialogue = opened()
        dialogue.tell(bytes: 3, .client, .upstream)
        dialogue.chunk(.upstream, "ab")
        dialogue.tell(bytes: 5, .server, .upstream)
        dialogue.tell(bytes: 4, .server, .downstream)
        dialogue.tell(bytes: 7, .client, .downstream)
        dialogue.tell(.wire(.finished(.client, .upstream)))
        dialogue.tell(.ended(.upstream))
        dialogue.tell(.wire(.finished(.server, .upstream)))
        dialogue.tell(.ended(.downstream))
        dialogue.close(.finished)
        dialogue.tell(.wire(.finished(.client, .downstream)))
        dialogue.tell(.wire(.reset(.server, .downstream)))
        dialogue.tell(.wire(.closed))
        #expect(
            try dialogue.lines == [
                "client up SYN 0", "client down SYN,ACK 0:1", "client up ACK 1:1",
                "server up SYN 0", "server down SYN,ACK 0:1", "server up ACK 1:1",
                "client up PSH,ACK 1:1 (3)", "client down ACK 1:4",
                "server up PSH,ACK 1:1 (5)", "server down ACK 1:6",
                "server down PSH,ACK 1:6 (4)", "server up ACK 6:5",
                "client down PSH,ACK 1:4 (7)", "client up ACK 4:8",
                "client up FIN,ACK 4:8", "client down ACK 8:5",
                "server up FIN,ACK 6:5", "server down ACK 5:7",
                "client down FIN,ACK 8:5", "client up ACK 5:9",
                "server down RST,ACK 5:7",
            ]
        )
        #expect(try dialogue.capture.packets.allSatisfy { $0.hasValidChecksums })
    }

    @Test("After its sockets are closed a flow is forgotten, and not before")
    func forgets() throws {
        var dialogue = opened()
        dialogue.close(.finished)
        let before = try dialogue.lines.count
        dialogue.tell(.wire(.finished(.client, .upstream)))
        #expect(try dialogue.lines.count == before + 2)
        dialogue.tell(.wire(.closed))
        dialogue.tell(.wire(.opened), path: Self.beginning)
        #expect(try dialogue.lines.suffix(3) == ["client up SYN 0", "client down SYN,ACK 0:1", "client up ACK 1:1"])
    }

    @Test(
        "Secrets stand before the packet that needs them, if its leg is in the file",
        arguments: CaptureSettings.Legs.allCases
    )
    func secrets(legs: CaptureSettings.Legs) throws {
        var dialogue = opened { $0.legs = legs }
        var places: [Int] = []
        for (number, leg) in [FlowLeg.client, .server, .client].enumerated() {
            dialogue.tell(bytes: 1, leg, .upstream)
            let isWritten = legs == .both || (legs == .client) == (leg == .client)
            if isWritten { places.append(try dialogue.capture.packets.count) }
            dialogue.tell(.wire(.secrets(leg, Array("CLIENT_RANDOM \(number)\n".utf8))))
            dialogue.tell(bytes: 2, leg, .downstream)
        }
        let capture = try dialogue.capture
        var found: [(place: Int, text: String)] = []
        for (block, place) in zip(capture.blocks, capture.places) {
            guard case .secrets(let secrets) = block else { continue }
            #expect(secrets.format == .tls)
            found.append((place, String(decoding: secrets.bytes, as: UTF8.self)))
        }
        #expect(found.map(\.place) == places)
        let numbers = legs == .both ? [0, 1, 2] : legs == .client ? [0, 2] : [1]
        #expect(found.map(\.text) == numbers.map { "CLIENT_RANDOM \($0)\n" })
        #expect(places.allSatisfy { capture.packets[$0].payload.count == 2 })
    }

    @Test("Secrets at the end of a file are in the next one")
    func nextFile() throws {
        var dialogue = opened()
        dialogue.tell(.wire(.secrets(.client, [1])))
        dialogue.tell(.wire(.secrets(.server, [2])))
        dialogue.finish()
        func secrets() throws -> [CaptureBlock] {
            try dialogue.capture.blocks.filter { if case .secrets = $0 { true } else { false } }
        }
        #expect(try secrets().isEmpty)
        dialogue.begin()
        dialogue.tell(bytes: 1, .client, .upstream)
        dialogue.tell(bytes: 1, .client, .upstream)
        #expect(try secrets() == [.secrets(CaptureSecrets(format: .tls, bytes: [1, 2]))])
    }

    @Test("Bytes that were left out are a gap in the sequence numbers of their leg and direction alone")
    func gap() throws {
        var dialogue = opened()
        dialogue.tell(bytes: 3, .client, .upstream)
        dialogue.tell(bytes: 2, .client, .upstream, at: 10)
        dialogue.tell(bytes: 4, .client, .downstream)
        #expect(
            try dialogue.lines.suffix(4) == [
                "client up PSH,ACK 11:1 (2)", "client down ACK 1:13", "client down PSH,ACK 1:13 (4)",
                "client up ACK 13:5",
            ]
        )
    }

    @Test("A long read is several packets, and no byte differs")
    func cut() throws {
        var dialogue = opened { $0.largestPacket = 576 }
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        dialogue.tell(.wire(.bytes(WireBytes(leg: .server, direction: .downstream, offset: 0, length: 5000))), bytes)
        let packets = try dialogue.capture.packets.filter { $0.leg == "server" && !$0.payload.isEmpty }
        #expect(packets.flatMap(\.payload) == bytes && packets.allSatisfy { $0.internetLength <= 576 })
        #expect(packets.count > 5)
    }

    @Test("An echo server has one leg; a client that comes before its server is known has both")
    func echo() throws {
        var dialogue = CaptureDialogue(path: Self.beginning) { $0.tls = .cipher }
        dialogue.tell(.wire(.opened))
        dialogue.tell(.opened)
        dialogue.tell(bytes: 3, .client, .upstream)
        dialogue.tell(bytes: 3, .client, .downstream)
        #expect(try dialogue.lines.count == 7)
        #expect(try Set(dialogue.capture.packets.map(\.leg)) == ["client"])
        var late = CaptureDialogue { $0.tls = .cipher }
        late.tell(.wire(.opened), path: Self.beginning)
        late.tell(bytes: 3, .client, .upstream)
        late.open()
        late.tell(bytes: 3, .server, .upstream)
        #expect(
            try late.lines.suffix(5) == [
                "server up SYN 0", "server down SYN,ACK 0:1", "server up ACK 1:1", "server up PSH,ACK 1:1 (3)",
                "server down ACK 1:4",
            ]
        )
    }

    @Test("Only a pcapng of encrypted flows wants the wire, and says so in its head")
    func head() throws {
        for (format, tls, isCipher) in [
            (.pcapng, .plain, false), (.pcapng, .cipher, true), (.pcap, .cipher, false),
        ] as [(CaptureSettings.Format, CaptureSettings.TLS, Bool)] {
            let dialogue = CaptureDialogue {
                $0.format = format
                $0.tls = tls
            }
            #expect(dialogue.sink.wantsWire == isCipher)
            guard format == .pcapng else { continue }
            let text = try #require(try dialogue.capture.sections.first?.comments.first)
            #expect(text.contains(isCipher ? "encrypted as they were on the wire" : "their packets hold plaintext"))
        }
    }

    @Test("In plaintext, the next packet of each leg with TLS tells of what it was decrypted from")
    func notes() throws {
        func comments(_ tls: TLSRecord, isCipher: Bool = false) throws -> [[String]] {
            var dialogue = isCipher ? opened() : CaptureDialogue()
            if !isCipher { dialogue.open() }
            let before = try dialogue.capture.packets.count
            dialogue.tell(.tls(tls))
            if isCipher {
                for leg in FlowLeg.allCases { dialogue.tell(bytes: 1, leg, .upstream) }
            } else {
                dialogue.chunk(.upstream, "up")
            }
            return try dialogue.capture.packets[before...].filter { !$0.payload.isEmpty }.map(\.comments)
        }
        let old = SecuredSide(version: "TLS 1.2", cipher: "", group: nil)
        let new = SecuredSide(version: "TLS 1.3", cipher: "", group: nil)
        func secured(_ name: String?, _ chosen: String?, _ client: SecuredSide?, _ server: SecuredSide?) -> TLSRecord {
            .secured(
                SecuredRecord(
                    serverName: name,
                    applicationProtocol: chosen,
                    client: client,
                    server: server,
                    duration: .zero
                )
            )
        }
        let both = secured("a.test", "h2", new, old)
        let wanted = ["decrypted from TLS 1.3, SNI a.test, ALPN h2", "decrypted from TLS 1.2, SNI a.test, ALPN h2"]
        #expect(try comments(both) == wanted.map { [$0] })
        #expect(try comments(both, isCipher: true) == [[], []])
        #expect(try comments(secured(nil, nil, nil, new)) == [[], ["decrypted from TLS 1.3"]])
        #expect(try comments(secured("a\u{1b}", nil, old, nil)) == [["decrypted from TLS 1.2, SNI a\\u{1b}"], []])
        let failed = TLSRecord.failed(TLSFailureRecord(leg: .server, reason: "alert x"))
        #expect(try comments(failed) == [[], ["TLS failed: alert x"]])
        #expect(try comments(failed, isCipher: true) == [[], ["TLS failed: alert x"]])
    }
}

extension CaptureDialogue {
    /// Tells of bytes on the wire: zeros, at an offset, or right behind the ones before.
    fileprivate mutating func tell(bytes count: Int, _ leg: FlowLeg, _ direction: Direction, at offset: UInt64? = nil) {
        let start = offset ?? wire["\(leg) \(direction)", default: 0]
        wire["\(leg) \(direction)"] = start + UInt64(count)
        let description = WireBytes(leg: leg, direction: direction, offset: start, length: count)
        tell(.wire(.bytes(description)), [UInt8](repeating: 0, count: count))
    }
}
