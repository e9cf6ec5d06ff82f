import Support
import Testing
import WeirAnalysis
import WeirEngine
import WeirWire

@testable import WeirAdmin

@Suite("The query of a stream of events")
struct EventQueryTests {
    /// Feeds an exchange of HTTP to the log of events, and returns what a query chooses: names, and `late` where an event
    /// comes after later ones.
    private static func chosen(_ query: String, _ filter: EventFilter = EventFilter()) throws -> [String] {
        var filter = filter
        filter.query = try FlowQuery(parsing: query)
        let log = EventLog()
        let place = try #require(log.listen(filter.interest, messages: filter.messages, bound: 1))
        var (sink, flow) = (EventSink(log), ReadFlow(log.messages))
        var output = ByteBuffer()
        flow.take(.opened) { sink.render($0, bytes: $1, into: &output) }
        flow.send(.upstream, "GET /a HTTP/1.1\r\n\r\n") { sink.render($0, bytes: $1, into: &output) }
        let answer = "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
        flow.send(.downstream, answer) { sink.render($0, bytes: $1, into: &output) }
        flow.close { sink.render($0, bytes: $1, into: &output) }
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
