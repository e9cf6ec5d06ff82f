import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirSinks
import WeirWire

@testable import WeirAdmin

@Suite("The query of a stream of events")
struct EventQueryTests {
    /// Feeds an exchange of HTTP to the log of events, and returns what a query chooses: names, and `late` where an event
    /// comes after later ones.
    private static func chosen(_ query: String, _ filter: EventFilter = EventFilter()) throws -> [String] {
        let path = FlowPath(
            client: try #require(Endpoint("10.0.0.1:40000")),
            listener: try #require(Endpoint("10.0.0.9:80")),
            egress: Endpoint("10.0.0.3:50000"),
            server: Endpoint("10.0.0.2:80")
        )
        var filter = filter
        filter.query = try FlowQuery(parsing: query)
        let log = EventLog()
        let place = try #require(log.listen(filter.interest, messages: filter.messages, bound: 1))
        var (sink, messages) = (EventSink(log), FlowMessages(log.messages))
        var output = ByteBuffer()
        func take(_ happening: FlowRecord.Happening, _ text: String = "") {
            let record = record(happening, path: path)
            let bytes = Array(text.utf8)
            var read: [FlowRecord] = []
            messages.read(record, bytes.span.bytes) { message in
                let happening = FlowRecord.Happening.message(message)
                read.append(FlowRecord(of: record.subject, moment: record.moment, happening: happening))
            }
            for message in read { sink.render(message, bytes: RawSpan(), into: &output) }
            sink.render(record, bytes: bytes.span.bytes, into: &output)
        }
        take(.opened)
        let (request, answer) = ("GET /a HTTP/1.1\r\n\r\n", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")
        take(chunk(.upstream, at: 0, request.utf8.count), request)
        take(chunk(.downstream, at: 0, answer.utf8.count), answer)
        let counters = Counters()
        take(.closed(CloseRecord(reason: .finished, upstream: counters, downstream: counters, duration: .seconds(1))))
        var cursor = place.start(EventID(number: 0), in: log.instance).cursor
        var reader = EventQuery(try #require(filter.query)) { _, _ in "web" }
        var names: [String] = []
        for event in log.events(&cursor, limit: 100, for: filter).events {
            for chosen in reader.take(event) where filter.takes(chosen.event) {
                names.append((chosen.isLate ? "late " : "") + chosen.event.name)
            }
        }
        return names
    }

    @Test("Takes the events of flows that fit, and of messages that do")
    func choices() throws {
        let all = EventFilter(events: ["open", "data", "message", "close"])
        let whole = ["open", "data", "message", "data", "message", "close"]
        #expect(try Self.chosen("port 80", all) == whole)
        #expect(try Self.chosen("proxy web", all) == whole)
        #expect(try Self.chosen("port 81", all) == [])
        #expect(try Self.chosen("bytes_up > 18", all) == ["late open", "data", "message", "data", "message", "close"])
        #expect(try Self.chosen("bytes_up > 19", all) == [])
        let exchange = ["late open", "late message", "late data", "data", "message", "close"]
        #expect(try Self.chosen("status = 404", all) == exchange)
        #expect(try Self.chosen("contains \"404\"", all) == exchange)
        #expect(try Self.chosen("status = 200", all) == [])
        #expect(try Self.chosen("method GET", all) == ["late open", "data", "message", "data", "message", "close"])
        #expect(try Self.chosen("close finished", all) == ["late open", "close"])
    }

    @Test("Of what fits only the events that were asked for come, though others are read")
    func names() throws {
        #expect(try Self.chosen("status = 404") == ["late open", "close"])
        #expect(try Self.chosen("status = 404", EventFilter(events: ["message"])) == ["late message", "message"])
        #expect(try Self.chosen("contains \"404\"", EventFilter(events: ["data"])) == ["data"])
        #expect(try Self.chosen("contains \"404\"", EventFilter(events: ["message"])) == ["late message", "message"])
        for query in ["port 80", "proxy web", "tcp"] {
            #expect(try Self.chosen(query, EventFilter(events: ["message"])) == ["message", "message"])
        }
        var filter = EventFilter(events: ["close"])
        filter.query = try FlowQuery(parsing: "error")
        #expect(filter.interest == .chunks && filter.messages == .fields && filter.readsChunks && !filter.wantsChunks)
    }
}
