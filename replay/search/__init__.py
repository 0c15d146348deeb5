"""Finding sessions: by filters, in an order, with counts; and what hurts where on a site."""
