"""How well searches find the people they should, and how well users are told apart.

What is measured is what analysts call: the rankings come from the SQL functions of a space. The truth is what users do
with the entries of a label; labels are the query texts, bare, and are embedded exactly, by the model.

Decisions, where a figure would otherwise be open to interpretation:

- Judged are users with at least 10 entries: of a user with three, neither 'mostly this' nor 'some of this' can be said.
  The others are loaded and ranked, and then left out of the lists; but the precision of the first 20 is also told among
  everybody, and among users with at least 8 entries, as `min_entries => 8` finds them: small profiles are right by
  chance more rarely than they are found.
- The entries of a user count by distinct entry, shares by frequency. The share of the population is that of all judged
  users together.
- *Strong* users of a label have at least 2 of its entries, at least 10 % of their frequency in it, and 1.5 times the
  share of the population. *Diluted* users have at least 2 of its entries, but a share under 10 %. Users without any of
  its entries show zero signal.
- A label counts if it has at least 10 users of each of the three kinds, and a stratum with both diluted users and users
  without signal.
- Strata are fifths of the judged users by number of entries. Within a stratum, N is the number of its users with at
  least 2 entries of the label. A stratum without diluted users says nothing on recall, one without zero signal nothing
  on AUC; what is reported is the mean of those that do.
- Means are over labels, each counting the same, and so are bootstrap intervals: 95 %, percentiles of 5,000 resamples of
  the labels, of the difference to a baseline on the same label: the mean by frequency, and the mean of a space as it
  comes, which weighs by logarithm. Of look-alikes, it is users that are resampled.
"""
