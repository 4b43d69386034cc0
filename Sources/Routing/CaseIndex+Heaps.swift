// The heaps in the nodes of the case index: four children a place, so that few places are written.
extension CaseIndex {
  mutating func caseUp(_ node: Int32, _ start: Int) {
    let n = Int(node)
    var place = start
    let entry = nodes[n].cases[place]
    while place > 0 {
      let parent = (place - 1) >> 2
      let above = nodes[n].cases[parent]
      guard entry < above else { break }
      nodes[n].cases[place] = above
      spots[Int(above.slot)].place = Int32(truncatingIfNeeded: place)
      place = parent
    }
    nodes[n].cases[place] = entry
    spots[Int(entry.slot)].place = Int32(truncatingIfNeeded: place)
  }

  mutating func caseDown(_ node: Int32, _ start: Int) {
    let n = Int(node)
    let end = nodes[n].cases.count
    var place = start
    let entry = nodes[n].cases[place]
    while true {
      let first = place << 2 + 1
      guard first < end else { break }
      var child = first
      var below = nodes[n].cases[first]
      for other in (first + 1)..<max(first + 1, min(first + 4, end))
      where nodes[n].cases[other] < below {
        child = other
        below = nodes[n].cases[other]
      }
      guard below < entry else { break }
      nodes[n].cases[place] = below
      spots[Int(below.slot)].place = Int32(truncatingIfNeeded: place)
      place = child
    }
    nodes[n].cases[place] = entry
    spots[Int(entry.slot)].place = Int32(truncatingIfNeeded: place)
  }

  mutating func childUp(_ parent: Int32, _ start: Int) {
    let p = Int(parent)
    var place = start
    let child = nodes[p].children[place]
    while place > 0 {
      let above = nodes[p].children[(place - 1) >> 2]
      guard child.least < above.least else { break }
      nodes[p].children[place] = above
      nodes[Int(above.node)].placeInParent = Int32(truncatingIfNeeded: place)
      place = (place - 1) >> 2
    }
    nodes[p].children[place] = child
    nodes[Int(child.node)].placeInParent = Int32(truncatingIfNeeded: place)
  }

  mutating func childDown(_ parent: Int32, _ start: Int) {
    let p = Int(parent)
    let end = nodes[p].children.count
    var place = start
    let child = nodes[p].children[place]
    while true {
      let first = place << 2 + 1
      guard first < end else { break }
      var least = first
      for other in (first + 1)..<max(first + 1, min(first + 4, end))
      where nodes[p].children[other].least < nodes[p].children[least].least { least = other }
      let below = nodes[p].children[least]
      guard below.least < child.least else { break }
      nodes[p].children[place] = below
      nodes[Int(below.node)].placeInParent = Int32(truncatingIfNeeded: place)
      place = least
    }
    nodes[p].children[place] = child
    nodes[Int(child.node)].placeInParent = Int32(truncatingIfNeeded: place)
  }
}
